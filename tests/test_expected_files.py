"""Files that record what a table or figure should be made from."""

import pytest

from internal_kd.expected_files import ExpectedFile, expected_file, record_of


def test_expectations_are_kept_with_their_stamp(tmp_path):
    content = ExpectedFile('{"a":"ü\\n"}', "17")
    content.write(tmp_path / "below/x.expected.json")
    found = ExpectedFile.read(tmp_path / "below/x.expected.json")
    assert found == content
    assert found.digest == ExpectedFile(content.text, "18").digest


@pytest.mark.parametrize("product", ["table1", "figures/fig2", "figures/a.b"])
def test_the_record_is_stored_beside_the_file(product):
    folder = f"results/provenance/{product}"
    assert expected_file("results", product) == f"{folder}/expected.json"
    assert str(record_of(expected_file("results", product))) == f"{folder}/manifest.json"
