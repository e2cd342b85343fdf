"""Where point clouds come from: named shapes, text, files of many formats, and real data."""
