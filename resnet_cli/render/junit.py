"""JUnit's XML, as CI servers read it: a suite for each network, a test case for each verdict."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from resnet_cli.render.verdicts import Case, cases
from resnet_cli.tables import Answer


def junit(answer: Answer) -> str:
    """The document, well-formed whatever networks are called."""
    from xml.etree import ElementTree as xml  # takes milliseconds to load

    suites: dict[str, list[Case]] = {}
    for case in cases(answer):
        suites.setdefault(case.network, []).append(case)
    every = [case for suite in suites.values() for case in suite]
    root = xml.Element("testsuites", name="resnet-cli check", **_numbers(every))
    for network, suite in suites.items():
        element = xml.SubElement(root, "testsuite", name=network, **_numbers(suite))
        for case in suite:
            test = xml.SubElement(element, "testcase", classname=network, name=case.title)
            if not case.ok:
                xml.SubElement(test, "failure", message=case.text)
    xml.indent(root)
    written: bytes = xml.tostring(root, encoding="utf-8", xml_declaration=True)
    return written.decode() + "\n"


def _numbers(suite: Sequence[Case]) -> dict[str, Any]:
    failures = sum(not case.ok for case in suite)
    return {"tests": str(len(suite)), "failures": str(failures), "errors": "0"}
