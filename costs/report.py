"""The report: the model's results as tables for a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from costs.always_on import Comparison
from costs.bill import FIVE_DRIVERS, Bill, Driver, Line
from costs.curve import Point, amount
from costs.model import CostModel
from costs.prices import Price
from costs.strategies import Effect
from costs.targets import Target, Verdict
from costs.units import GB

SMALLEST_SHOWN_USD = 0.005
PLAIN_WIDTH = 132
"""Width of the report outside of a terminal."""
OTHER_DRIVERS = tuple(driver for driver in Driver if driver not in FIVE_DRIVERS)


class Report:
    """Prints one section a method."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def head(self, model: CostModel, bill: Bill) -> None:
        workload, held = model.workload, bill.month.stored
        free = "with" if model.free_tier else "without"
        self._say(
            f"[bold]Stage {model.stage}[/], {model.prices.region}: a month of "
            f"{workload.uploads_per_day:,.0f} uploads a day of {workload.mean_video_mb:,.4g} MB "
            f"({workload.uploaded_bytes / GB:,.0f} GB in the month), "
            f"{amount(held.video_bytes) if held.video_bytes else 'nothing'} held, "
            f"{workload.active_users_per_month:,.0f} users, {workload.downloads_per_video:g} downloads a video.\n"
            f"List prices of {model.prices.checked_on:%Y-%m-%d} in US dollars, {free} the always-free allowances, "
            "without tax and discounts. GB on the bill are 2^30 bytes, GB of videos 10^9."
        )

    def drivers(self, bill: Bill, idle: Bill) -> None:
        table = _table("What the month costs", "", "idle $", "$", "%")
        for group, drivers in {"the five drivers": FIVE_DRIVERS, "what else is billed": OTHER_DRIVERS}.items():
            for driver in drivers:
                share = f"{100 * bill.of(driver) / bill.usd:.1f}" if bill.usd else ""
                table.add_row(driver, _usd(idle.of(driver)), _usd(bill.of(driver)), share)
            table.add_row(f"[dim]{group}", f"[dim]{_usd(idle.of(*drivers))}", f"[dim]{_usd(bill.of(*drivers))}", "")
            table.add_section()
        table.add_row("[bold]total", f"[bold]{_usd(idle.usd)}", f"[bold]{_usd(bill.usd)}", "")
        self._console.print(table)

    def lines(self, bill: Bill, *, title: str) -> None:
        table = _table(title, "item", "quantity", "unit", "price $", "$")
        for driver in Driver:
            shown = [line for line in bill.lines if line.driver is driver and _is_shown(line)]
            if shown:
                table.add_row(f"[bold]{driver}")
            for line in shown:
                per = f" / {line.price.per:,.0f}" if line.price.per != 1 else ""
                first = "from " if len(line.price.usd_steps) > 1 else ""
                price = f"{first}{_price(line.price)}{per}"
                table.add_row(f"  {line.item}", _quantity(line.quantity), line.price.unit, price, _usd(line.usd))
        hidden = sum(line.usd for line in bill.lines if line.usd < SMALLEST_SHOWN_USD)
        table.add_row("all below half a cent", "", "", "", _usd(hidden))
        table.add_row("[bold]total", "", "", "", f"[bold]{_usd(bill.usd)}")
        self._console.print(table)

    def strategies(self, effects: Sequence[Effect]) -> None:
        table = _table("Each strategy switched off alone", "strategy", "stage says", "saves $", "off means")
        for effect in effects:
            table.add_row(effect.strategy, effect.setting, _usd(effect.saved_usd), effect.assumed)
        self._console.print(table)

    def always_on(self, found: Comparison) -> None:
        table = _table("The same always on", "part", "quantity", "price $", "$", "as large because")
        for part in found.parts:
            item = f"{part.count} {part.item}" if part.count > 1 else part.item
            quantity = f"{_quantity(part.quantity)} {part.price.unit}"
            table.add_row(item, quantity, _price(part.price), _usd(part.usd), part.reason)
        self._console.print(table)
        table = _table("", "", "platform $", "always on $", "saving %")
        running = found.platform_running_usd, found.always_on_running_usd, found.running_saving_percent
        whole = found.platform_usd, found.always_on_usd, found.saving_percent
        for name, (ours, theirs, saving) in {
            "what runs: functions, API, network": running,
            "whole bill": whole,
        }.items():
            table.add_row(name, _usd(ours), _usd(theirs), f"{saving:.1f}")
        self._console.print(table)

    def verdict(self, target: Target, found: Verdict | None) -> None:
        if found is None:
            self._say(f"\n[bold]{target.name}[/]: nothing to measure, the workload uploads nothing.")
            return
        sign = "met" if found.is_met else "MISSED"
        self._say(
            f"\n[bold]{target.name}: {_figure(target, found.figure)}[/] ({target.counts}); "
            f"target {_figure(target, target.wanted)}: [bold]{sign}[/]"
        )
        for change, figure in found.alone:
            self._say(f"  met by [bold]{change}[/] alone: {_figure(target, figure)} ({change.gives_up})")
        if found.alone or found.is_met:
            return
        if not found.together or found.together_figure is None:
            self._say("  no setting helps")
            return
        met, best = target.is_met_by(found.together_figure), _figure(target, found.together_figure)
        self._say(f"  no setting meets it alone; together {f'they do, {best}' if met else f'they reach {best}'}:")
        for change in found.together:
            self._say(f"    [bold]{change}[/] ({change.gives_up})")
        if not met:
            missing = abs(found.together_figure - target.wanted)
            short = f"${missing:,.3f}" if target.better == "lower" else f"{missing:.1f} points"
            self._say(f"  all of these still miss it by {short}")

    def curve(self, points: Sequence[Point]) -> None:
        table = _table("From 1 GB to 1 PB", "held", "uploaded GB", "$ a month", "$ per GB held", "most goes to")
        for point in points:
            uploaded = f"{point.uploaded_bytes / GB:,.2f}"
            table.add_row(
                amount(point.stored_bytes), uploaded, _usd(point.usd), f"{point.usd_per_gb:,.4f}", point.largest
            )
        self._console.print(table)

    def notes(self, prices: Sequence[Price]) -> None:
        if prices:
            self._say("Prices in use that could not be found again, to be checked at their source:")
        for price in prices:
            self._say(f"  {price.key} ${_price(price)}: {price.note} ({price.source})")

    def waiting(self, why: str) -> AbstractContextManager[object]:
        """Show the reason for the wait on a terminal."""
        return self._console.status(why)

    def _say(self, text: str) -> None:
        # Lines in a file are as long as they are; a terminal breaks its own.
        self._console.print(text, highlight=False, soft_wrap=not self._console.is_terminal)


def _table(title: str, *columns: str) -> Table:
    heading = f"\n{title}" if title else None
    table = Table(title=heading, title_justify="left", title_style="bold", box=SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        numeric = "$" in column or column.endswith("%") or column in ("quantity", "held", "uploaded GB")
        # On a narrow screen words are broken, figures never.
        table.add_column(column, justify="right" if numeric else "left", no_wrap=numeric, overflow="fold")
    return table


def _is_shown(line: Line) -> bool:
    """True for a line of half a cent or more, and for one without a price: readers look for free items."""
    return line.usd >= SMALLEST_SHOWN_USD or (line.quantity > 0 and line.price.usd == 0)


def _quantity(quantity: float) -> str:
    """Format a quantity, small fractions with two decimals."""
    return f"{quantity:,.0f}" if quantity >= 1_000 or quantity == int(quantity) else f"{quantity:,.2f}"


def _usd(usd: float) -> str:
    return f"{usd:,.2f}"


def _price(price: Price) -> str:
    return f"{price.usd:.10f}".rstrip("0").rstrip(".") or "0"


def _figure(target: Target, figure: float) -> str:
    return f"${figure:,.3f}" if target.better == "lower" else f"{figure:.1f} %"
