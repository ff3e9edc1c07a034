"""Small wheels in the form of those that the registry is made from."""

from __future__ import annotations

from pathlib import Path
from zipfile import ZipFile

PRICES = """
from decimal import Decimal
import datetime
raise SystemExit("this file is data, and never run")
providers = [
    Provider(id='other', models=[ModelInfo(id='x', match=ClauseEquals(equals='x'), prices=ModelPrice())]),
    Provider(
        id='openai',
        models=[
            ModelInfo(
                id='gpt-9',
                match=ClauseOr(or_=[ClauseEquals(equals='gpt-9'), ClauseEquals(equals='gpt-9-2030-01-01')]),
                context_window=1000,
                prices=[
                    ConditionalPrice(prices=ModelPrice(input_mtok=Decimal('2'), output_mtok=Decimal('8'))),
                    ConditionalPrice(
                        constraint=StartDateConstraint(start_date=datetime.date(2030, 2, 1)),
                        prices=ModelPrice(
                            input_mtok=TieredPrices(base=Decimal('1'), tiers=[Tier(start=100, price=Decimal('2'))]),
                            cache_read_mtok=Decimal('0.1'),
                            output_mtok=TieredPrices(base=Decimal('4'), tiers=[Tier(start=100, price=Decimal('6'))]),
                        ),
                    ),
                ],
                price_variants=[
                    PriceVariant(when={'service_tier': 'default'}, prices=ModelPrice(), constraint=None),
                    PriceVariant(
                        when={'processing': 'batch'},
                        prices=ModelPrice(
                            input_mtok=Decimal('0.5'), cache_read_mtok=Decimal('0.05'), output_mtok=Decimal('2')
                        ),
                        constraint=StartDateConstraint(start_date=datetime.date(2030, 3, 1)),
                    ),
                    PriceVariant(
                        when={'service_tier': 'priority'},
                        prices=ModelPrice(input_mtok=Decimal('3'), output_mtok=Decimal('9')),
                        constraint=None,
                    ),
                    PriceVariant(when={'region': 'moon'}, prices=ModelPrice(input_mtok=Decimal('9')), constraint=None),
                ],
            ),
            ModelInfo(
                id='gpt-8', match=ClauseRegex(regex='^gpt-8-\\\\d{4}-\\\\d{2}-\\\\d{2}$'),
                prices=ModelPrice(input_mtok=Decimal('5'), output_mtok=Decimal('20')),
            ),
            ModelInfo(
                id='listen-1', match=ClauseEquals(equals='listen-1'), prices=ModelPrice(audio_hours=Decimal('0.3'))
            ),
            ModelInfo(id='judge', match=ClauseContains(contains='judge'), prices=ModelPrice()),
        ],
    ),
]
"""
CHAT_MODELS = '''
from typing_extensions import Literal, TypeAlias
raise SystemExit("this file is data, and never run")
ChatModel: TypeAlias = Literal["gpt-9", "gpt-9-2030-01-01", "gpt-8", "gpt-8-2029-01-01", "gpt-7-old"]
"""Deprecated values:

- "gpt-8", "gpt-8-2029-01-01": Announced shutdown date:
  2030-06-30. See the page for details.
- "gpt-7-old": This model was retired on May 12, 2029. Use another one.
"""
'''


def price_wheel(folder: Path, data: str = PRICES, version: str = "1.2.3") -> Path:
    """A wheel as genai-prices has it."""
    path = folder / f"genai_prices-{version}-py3-none-any.whl"
    with ZipFile(path, "w") as wheel:
        wheel.writestr("genai_prices/data.py", data)
        wheel.writestr(f"genai_prices-{version}.dist-info/METADATA", "")
    return path


def sdk_wheel(folder: Path, chat_models: str = CHAT_MODELS, version: str = "9.9.9") -> Path:
    """A wheel as the official SDK has it."""
    path = folder / f"openai-{version}-py3-none-any.whl"
    with ZipFile(path, "w") as wheel:
        wheel.writestr("openai/_version.py", f'__version__ = "{version}"\n')
        wheel.writestr("openai/types/shared/chat_model.py", chat_models)
    return path
