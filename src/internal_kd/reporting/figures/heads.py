"""Figure 11: one head of every student layer beside the matching layer of the teacher."""

from pathlib import Path

from matplotlib.figure import Figure

from internal_kd.evaluation.attention_maps import AttentionMaps, load_maps
from internal_kd.reporting.figures import heatmap
from internal_kd.reporting.figures.style import new_figure, save_figure
from internal_kd.specs.figures import HeadsSettings

TITLE = 0.18  # inches above each row of maps
PAGE_HEIGHT = 8.2  # inches for all rows of maps, if they are not too many
SMALLEST_MAP, LARGEST_MAP = 1.15, 1.9  # inches
SIDE, FOOT = 1.3, 1.3  # inches for tokens, titles, colour bar and remarks


def write_heads(maps: str | Path, settings: HeadsSettings, out: str | Path) -> None:
    """Write Figure 11 as `out` (.csv, see `heatmap.tidy`), .pdf and .png.

    Args:
        maps: file of the example's attention maps.
        settings: of the figure.
        out: path of the .csv, named as the figure is in the config.

    Raises:
        UserError: the models have no such head.
    """
    found = load_maps(maps)
    layers, heads = found.teacher.shape[:2]
    place = f"figures.{Path(out).stem}.head"
    head = heatmap.choose(settings.head, heads, heads, place, "heads of a layer")
    size = min(max(PAGE_HEIGHT / layers - TITLE, SMALLEST_MAP), LARGEST_MAP)
    shown = heatmap.shown_tokens(found, size)
    frame = heatmap.tidy(found, settings, range(1, layers + 1), head, shown)
    figure = _draw(found, settings, head, shown, size)
    remarks = [_remark(found, settings, head), *heatmap.cut_remark(found, shown), settings.note]
    width = figure.get_figwidth()
    save_figure(figure, frame, out, heatmap.wrapped(filter(None, remarks), width))


def _draw(
    maps: AttentionMaps, settings: HeadsSettings, head: int, shown: heatmap.Places, size: float
) -> Figure:
    """Rows are layers of the students, columns the models."""
    layers, roles = len(maps.teacher_layers), heatmap.ROLES
    figure, grid = new_figure(
        3 * size + SIDE,
        layers * (size + TITLE) + FOOT,
        nrows=layers,
        ncols=len(roles),
        sharex=True,
        sharey=True,
        squeeze=False,
    )
    scale = max(
        float(heatmap.head_map(maps, role, layer, head, shown).max())
        for role in roles
        for layer in range(1, layers + 1)
    )
    for row in range(layers):
        for axes, role in zip(grid[row], roles, strict=True):
            picture = heatmap.head_map(maps, role, row + 1, head, shown)
            image = heatmap.draw_map(axes, picture, maps.tokens[shown], scale, size)
            axes.set_title(_title(maps, settings, role, row + 1, head), fontsize=7, pad=3)
        grid[row, 0].set_ylabel("query")
    for axes in grid[-1]:
        axes.set_xlabel("key")
    heatmap.color_bar(figure, image, grid, shrink=min(0.85, 3 / layers), aspect=40)
    return figure


def _title(maps: AttentionMaps, settings: HeadsSettings, role: str, layer: int, head: int) -> str:
    """The layer, with the divergence of a student's head; in the first row the model too."""
    name = f"{heatmap.model_title(role, settings)}\n" if layer == 1 else ""
    if role == "teacher":
        return f"{name}layer {maps.teacher_layers[layer - 1]}"
    return f"{name}layer {layer}: KL {heatmap.head_kl(maps, role, layer, head):.3f}"


def _remark(maps: AttentionMaps, settings: HeadsSettings, head: int) -> str:
    title = settings.task_specs[settings.task].title
    return (
        f"Study: {settings.study}. {title}, row {maps.example} of "
        f"the development set, head {head} of each layer, models of the first student seed: an "
        "illustration. KL: divergence of the student's head from the teacher's head in the "
        "matching layer, in nats (Equation 2)."
    )
