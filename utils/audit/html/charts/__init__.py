"""The charts of the report, drawn as SVG for the page and for files."""
