"""XML that clients send, read without caring for its namespace."""

from xml.etree import ElementTree as ET

from local.stand_in.errors import malformed_xml


def parse_xml(body: bytes, root: str) -> ET.Element:
    """The root element; raises S3Error 400 MalformedXML when it is not XML or another element."""
    try:
        # Entities are bounded by expat itself since 2.4.1, and bodies by their callers.
        document = ET.fromstring(body)  # noqa: S314
    except ET.ParseError as error:
        raise malformed_xml() from error
    if _local_name(document) != root:
        raise malformed_xml()
    return document


def children(element: ET.Element, name: str) -> list[ET.Element]:
    """The direct children of that name."""
    return [child for child in element if _local_name(child) == name]


def child_text(element: ET.Element, name: str) -> str | None:
    """The text of the first direct child of that name; None without one."""
    found = children(element, name)
    return (found[0].text or "") if found else None


def _local_name(element: ET.Element) -> str:
    return element.tag.rpartition("}")[2]
