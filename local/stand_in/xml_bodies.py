"""Clients' XML, parsed without regard to namespaces."""

from xml.etree import ElementTree as ET

from local.stand_in.errors import malformed_xml


def parse_xml(body: bytes, root: str) -> ET.Element:
    """The root element. Raises S3Error 400 MalformedXML for malformed XML or another element."""
    try:
        # expat itself limits entities since 2.4.1, and callers limit bodies.
        document = ET.fromstring(body)  # noqa: S314
    except ET.ParseError as error:
        raise malformed_xml() from error
    if _local_name(document) != root:
        raise malformed_xml()
    return document


def children(element: ET.Element, name: str) -> list[ET.Element]:
    """The direct children of a name."""
    return [child for child in element if _local_name(child) == name]


def child_text(element: ET.Element, name: str) -> str | None:
    """The text of the first direct child of a name; None without one."""
    found = children(element, name)
    return (found[0].text or "") if found else None


def _local_name(element: ET.Element) -> str:
    return element.tag.rpartition("}")[2]
