"""The report: the model's results as text and tables."""

from collections.abc import Iterator, Sequence

from rich.box import SIMPLE_HEAD
from rich.table import Table

from costs.always_on import bill_of_materials, compared
from costs.curve import amount, curve
from costs.model import Bill, CostModel, Line
from costs.prices import FIVE_DRIVERS, Driver, Price
from costs.strategies import effects
from costs.targets import TARGETS, Target, Way, verdict

SMALLEST_SHOWN_USD = 0.005
OTHER_DRIVERS = tuple(driver for driver in Driver if driver not in FIVE_DRIVERS)


def report(model: CostModel) -> Iterator[str | Table]:
    """Sections of the report, text in rich's markup."""
    bill, idle = model.bill(), model.idle_bill()
    yield _head(model, bill)
    yield _drivers(bill, idle)
    yield _lines("Every line", bill)
    yield _lines("What a month without users costs", idle)
    table = _table("Each strategy switched off alone", "strategy", "setting", "saves $", "off means")
    for effect in effects(model):
        table.add_row(effect.strategy, effect.setting, _usd(effect.saved_usd), effect.assumed)
    yield table
    table = _table("The same always on", "part", "quantity", "price $", "$", "as large because")
    parts = bill_of_materials(model.workload, model.prices)
    for part in parts:
        item = f"{part.count} {part.item}" if part.count > 1 else part.item
        quantity = f"{_quantity(part.quantity)} {part.price.unit}"
        table.add_row(item, quantity, _price(part.price), _usd(part.usd), part.reason)
    yield table
    table = _table("", "", "platform $", "always on $", "saving %")
    for name, sides in zip(("what runs: functions, API, network", "whole bill"), compared(bill), strict=True):
        table.add_row(name, _usd(sides.platform_usd), _usd(sides.always_on_usd), f"{sides.saving_percent:.1f}")
    yield table
    for target in TARGETS:
        yield verdict_text(target, verdict(model, target))
    table = _table("From 1 GB to 1 PB", "held", "uploaded GB", "$ a month", "$ per GB held", "most goes to")
    for point in curve(model):
        per_gb, largest = f"{point.usd_per(point.stored_gb):,.4f}", max(Driver, key=point.of)
        table.add_row(amount(point.stored_gb), f"{point.uploaded_gb:,.2f}", _usd(point.usd), per_gb, largest)
    yield table
    used = [line.price for line in bill.lines if line.usd > 0] + [part.price for part in parts]
    if unconfirmed := {price.key: price for price in used if not price.confirmed}:
        yield "Prices in use that could not be found again, to be checked at their source:"
        yield from (f"  {key} ${_price(price)}: {price.note} ({price.source})" for key, price in unconfirmed.items())


def _head(model: CostModel, bill: Bill) -> str:
    workload = model.workload
    return (
        f"[bold]Stage {model.stage}[/], {model.prices.region}: a month of "
        f"{workload.uploads_per_day:,.0f} uploads a day of {workload.mean_video_mb:,.4g} MB "
        f"({bill.uploaded_gb:,.0f} GB in the month), {amount(bill.stored_gb) if bill.stored_gb else 'nothing'} held, "
        f"{workload.active_users_per_month:,.0f} users, {workload.downloads_per_video:g} downloads a video.\n"
        f"List prices of {model.prices.checked_on:%Y-%m-%d} in US dollars, {'with' if model.free_tier else 'without'} "
        "the always-free allowances, without tax and discounts. GB on the bill are 2^30 bytes, GB of videos 10^9."
    )


def _drivers(bill: Bill, idle: Bill) -> Table:
    table = _table("What the month costs", "", "idle $", "$", "%")
    for group, drivers in {"the five drivers": FIVE_DRIVERS, "other charges": OTHER_DRIVERS}.items():
        for driver in drivers:
            share = f"{100 * bill.of(driver) / bill.usd:.1f}" if bill.usd else ""
            table.add_row(driver, _usd(idle.of(driver)), _usd(bill.of(driver)), share)
        table.add_row(group, _usd(idle.of(*drivers)), _usd(bill.of(*drivers)), style="dim", end_section=True)
    table.add_row("total", _usd(idle.usd), _usd(bill.usd), style="bold")
    return table


def _lines(title: str, bill: Bill) -> Table:
    table = _table(title, "item", "quantity", "unit", "price $", "$")
    for driver in Driver:
        shown = [line for line in bill.lines if line.price.driver is driver and _is_shown(line)]
        if shown:
            table.add_row(driver, style="bold")
        for line in shown:
            per = f" / {line.price.per:,.0f}" if line.price.per != 1 else ""
            price = f"{'from ' if len(line.price.steps) > 1 else ''}{_price(line.price)}{per}"
            table.add_row(f"  {line.item}", _quantity(line.quantity), line.price.unit, price, _usd(line.usd))
    hidden = sum(line.usd for line in bill.lines if line.usd < SMALLEST_SHOWN_USD)
    table.add_row("all below half a cent", "", "", "", _usd(hidden))
    table.add_row("total", "", "", "", _usd(bill.usd), style="bold")
    return table


def verdict_text(target: Target, found: Sequence[Way]) -> str:
    """A figure with its target and, if it is missed, the settings that would meet it."""
    if not found:
        return f"\n[bold]{target.name}[/]: nothing to measure, the workload uploads nothing."
    own, *ways = found
    outcome = "MISSED" if own.missing > 0 else "met"
    lines = [
        f"\n[bold]{target.name}: {target.written(own.reached)}[/] ({target.counts}); "
        f"target {target.written(target.wanted)}: [bold]{outcome}[/]"
    ]
    for changes, figure, missing in ways:
        reached = target.written(figure)
        if not changes:
            lines.append("  no setting helps")
        elif len(changes) == 1 and missing <= 0:
            lines.append(f"  met by [bold]{changes[0]}[/] alone: {reached} ({changes[0].gives_up})")
        else:
            best = f"they reach {reached}" if missing > 0 else f"they do, {reached}"
            lines.append(f"  no setting meets it alone; together {best}:")
            lines += [f"    [bold]{change}[/] ({change.gives_up})" for change in changes]
        if changes and missing > 0:
            short = f"${missing:,.3f}" if target.better == "lower" else f"{missing:.1f} points"
            lines.append(f"  all of these still miss it by {short}")
    return "\n".join(lines)


def _table(title: str, *columns: str) -> Table:
    heading = f"\n{title}" if title else None
    table = Table(title=heading, title_justify="left", title_style="bold", box=SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        numeric = "$" in column or column.endswith("%") or column in ("quantity", "held", "uploaded GB")
        # On a narrow screen words may wrap, but figures must not.
        table.add_column(column, justify="right" if numeric else "left", no_wrap=numeric, overflow="fold")
    return table


def _is_shown(line: Line) -> bool:
    """True for a line of half a cent or more, and for one without a price, since readers look for free items."""
    return line.usd >= SMALLEST_SHOWN_USD or (line.quantity > 0 and line.price.usd == 0)


def _quantity(quantity: float) -> str:
    """Format a quantity, small fractions with two decimals."""
    return f"{quantity:,.0f}" if quantity >= 1_000 or quantity == int(quantity) else f"{quantity:,.2f}"


def _usd(usd: float) -> str:
    return f"{usd:,.2f}"


def _price(price: Price) -> str:
    return f"{price.steps[0][1]:.10f}".rstrip("0").rstrip(".")
