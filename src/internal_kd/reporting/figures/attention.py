"""Figure 5: what one head of teacher and students attends to on one example."""

from pathlib import Path

from matplotlib.figure import Figure

from internal_kd.evaluation.attention_maps import AttentionMaps, load_maps
from internal_kd.reporting.figures import heatmap
from internal_kd.reporting.figures.style import PAGE_WIDTH, new_figure, save_figure
from internal_kd.specs.figures import AttentionSettings

HEIGHT = 3.4  # inches
MAP_SIZE = 1.9  # inches


def write_attention(maps: str | Path, settings: AttentionSettings, out: str | Path) -> None:
    """Write Figure 5 as `out` (.csv, see `heatmap.tidy`), .pdf and .png.

    Args:
        maps: file of the example's attention maps.
        settings: of the figure.
        out: path of the .csv, named as the figure is in the config.

    Raises:
        UserError: the models have no such layer or head.
    """
    found = load_maps(maps)
    layer, head = _chosen(found, settings, f"figures.{Path(out).stem}")
    shown = heatmap.shown_tokens(found, MAP_SIZE)
    frame = heatmap.tidy(found, settings, [layer], head, shown)
    figure = _draw(found, settings, layer, head, shown)
    remarks = [_remark(found, settings), *heatmap.cut_remark(found, shown), settings.note]
    save_figure(figure, frame, out, heatmap.wrapped(filter(None, remarks), PAGE_WIDTH))


def _chosen(maps: AttentionMaps, settings: AttentionSettings, place: str) -> tuple[int, int]:
    layers, heads = maps.teacher.shape[:2]
    layer = heatmap.choose(
        settings.layer, layers, max(layers - 1, 1), f"{place}.layer", "student's layers"
    )
    head = heatmap.choose(settings.head, heads, heads, f"{place}.head", "heads of a layer")
    return layer, head


def _draw(
    maps: AttentionMaps, settings: AttentionSettings, layer: int, head: int, shown: heatmap.Places
) -> Figure:
    figure, all_axes = new_figure(PAGE_WIDTH, HEIGHT, ncols=3, sharey=True)
    pictures = {role: heatmap.head_map(maps, role, layer, head, shown) for role in heatmap.ROLES}
    scale = float(max(picture.max() for picture in pictures.values()))
    for axes, (role, picture) in zip(all_axes, pictures.items(), strict=True):
        image = heatmap.draw_map(axes, picture, maps.tokens[shown], scale, MAP_SIZE)
        axes.set_title(_title(maps, settings, role, layer, head))
        axes.set_xlabel("attended token (key)")
    all_axes[0].set_ylabel("attending token (query)")
    heatmap.color_bar(figure, image, all_axes, shrink=0.7)
    return figure


def _title(
    maps: AttentionMaps, settings: AttentionSettings, role: str, layer: int, head: int
) -> str:
    """Model, layer and head; for a student the divergences of the head and of the example."""
    name = heatmap.model_title(role, settings)
    if role == "teacher":
        return f"{name}\nlayer {maps.teacher_layers[layer - 1]}, head {head}\n"
    kl = heatmap.head_kl(maps, role, layer, head)
    example = f"all layers and heads: KL {maps.mean_kl(role):.3f}"
    return f"{name}\nlayer {layer}, head {head}: KL {kl:.3f}\n{example}"


def _remark(maps: AttentionMaps, settings: AttentionSettings) -> str:
    title = settings.task_specs[settings.task].title
    return (
        f"Study: {settings.study}. {title}, row {maps.example} of "
        "the development set, models of the first student seed: an illustration. KL: divergence of "
        "the student's attention from the teacher's in nats (Equation 2), of this head, and the "
        "mean over all heads of all matching layers."
    )
