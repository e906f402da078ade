"""What must hold of a built book, for the tests that have one."""

from sslmepr.pipeline.book import external_resources
from sslmepr.pipeline.site_links import broken_links

SITE_MEGABYTES, PAGE_MEGABYTES = 40, 3


def complaints(site):
    """What is too heavy, leads nowhere or would be fetched from elsewhere."""
    sizes = {path: path.stat().st_size for path in site.rglob("*") if path.is_file()}
    found = [
        f"{path.name}: {size / 1e6:.1f} MB"
        for path, size in sizes.items()
        if path.suffix == ".html" and size > PAGE_MEGABYTES * 1e6
    ]
    total = sum(sizes.values()) / 1e6
    if total > SITE_MEGABYTES:
        found.append(f"the site: {total:.1f} MB")
    return [*found, *broken_links(site), *external_resources(site)]
