"""What all tests share: workers side by side, and in CI no skip but those that are meant."""

import os

import pytest

# of torch's in each worker, or they wait for one another
os.environ.setdefault("OMP_NUM_THREADS", "1")
# a width that a worker has is no terminal's
os.environ.pop("COLUMNS", None)

MEANT_SKIPS = {
    # tools that bring much beside torch, or the module of another; tests/data/printed.csv has what they print
    "calflops is not installed",
    "pycls is not installed",
    "thop is not installed",
    "torchlens is not installed",
    "ultralytics-thop is not installed",
    # libraries of networks, which pull in much; each needs torchvision, that the torch of its release
    "could not import 'timm': No module named 'timm'",
    "could not import 'torchvision': No module named 'torchvision'",
    "could not import 'transformers': No module named 'transformers'",
    # 50 MB, for one form of CIFAR of three
    "could not import 'pyarrow': No module named 'pyarrow'",
    # the list that the figures were taken from lies beside the project where it is worked on, and not in it
    "the list of published figures is not beside this checkout",
    # Debian's texlive-latex-recommended, half a gigabyte with what it needs
    "needs pdflatex",
    # as CI is, where it runs in a container
    "root may read all",
}


def pytest_configure(config):
    """With UPDATE_DOCS=1 the stored counts are written first, as pages show what `list` reads from them."""
    if os.environ.get("UPDATE_DOCS") == "1" and not hasattr(config, "workerinput"):
        import counts

        counts.renew()


def without_unexpected_skips(report):
    """The report; of a skip in CI that is not meant, a failure with the reason."""
    if os.environ.get("CI") == "true" and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2].removeprefix("Skipped: ")
        if reason not in MEANT_SKIPS:
            report.outcome = "failed"
            report.longrepr = f"skipped, which tests/conftest.py does not list: {reason}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport():
    return without_unexpected_skips((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report():
    return without_unexpected_skips((yield))
