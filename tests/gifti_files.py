"""GIFTI surfaces in every layout that the format knows, for the tests of what reads them."""

import base64
import zlib

import numpy as np


def array(values, intent, kind, encoding, endian, layout, **changes):
    """Return a DataArray element; ``changes`` forge its attributes."""
    dtype = {"NIFTI_TYPE_FLOAT32": "f4", "NIFTI_TYPE_INT32": "i4"}[kind]
    values = np.asarray(values).astype(("<" if endian == "LittleEndian" else ">") + dtype)
    order = "F" if layout == "ColumnMajorOrder" else "C"
    if encoding == "ASCII":
        text = " ".join(map(str, values.ravel(order).tolist()))
    else:
        raw = values.tobytes(order)
        text = base64.b64encode(zlib.compress(raw) if encoding[0] == "G" else raw).decode()
    about = {
        "Intent": intent,
        "DataType": kind,
        "Encoding": encoding,
        "Endian": endian,
        "ArrayIndexingOrder": layout,
        "Dimensionality": 2,
        "Dim0": len(values),
        "Dim1": 3,
    } | changes
    told = " ".join(f'{key}="{value}"' for key, value in about.items())
    return f"<DataArray {told}><MetaData/><Data>{text}</Data></DataArray>"


def gifti(
    points,
    faces,
    encoding="GZipBase64Binary",
    *,
    endian="LittleEndian",
    layout="RowMajorOrder",
    head='<!DOCTYPE GIFTI SYSTEM "http://www.nitrc.org/frs/download.php/1594/gifti.dtd">',
    **changes,
):
    """Return a GIFTI surface as bytes; ``changes`` forge the attributes of its points."""
    how = (encoding, endian, layout)
    first = array(points, "NIFTI_INTENT_POINTSET", "NIFTI_TYPE_FLOAT32", *how, **changes)
    second = array(faces, "NIFTI_INTENT_TRIANGLE", "NIFTI_TYPE_INT32", *how)
    return f'<?xml version="1.0"?>{head}<GIFTI Version="1.0">{first}{second}</GIFTI>'.encode()
