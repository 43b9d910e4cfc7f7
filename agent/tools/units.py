"""Units of measurement and exact conversion between them.

Factors are exact by definition: the international yard and pound (1959), the SI's binary and decimal prefixes, and the
Chinese market units as fixed in 1959. Units whose size is not one number (month, year, and "ton" alone) are left out:
better none than a guess.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from agent import texts
from agent.language import Text
from agent.tools.registry import ToolError

LENGTH, MASS, TEMPERATURE, TIME = (
    Text("length", "长度"),
    Text("mass", "质量"),
    Text("temperature", "温度"),
    Text("time", "时间"),
)
PRESSURE, ENERGY = Text("pressure", "压强"), Text("energy", "能量")
DATA, AREA, VOLUME, SPEED = (
    Text("data", "数据量"),
    Text("area", "面积"),
    Text("volume", "体积"),
    Text("speed", "速度"),
)


@dataclass(frozen=True, slots=True)
class Unit:
    """One unit: `(value + offset) * factor` is the amount in the base unit of its kind."""

    kind: Text
    #: How a result spells it.
    name: Text
    factor: Fraction
    offset: Fraction = Fraction(0)


def convert(value: Fraction, source: Unit, target: Unit) -> Fraction:
    """The same amount in another unit. Raises `ToolError` for units of different kinds and below absolute zero."""
    if source.kind != target.kind:
        raise ToolError(texts.CALC_KINDS, a=source.name, a_kind=source.kind, b=target.name, b_kind=target.kind)
    base = (value + source.offset) * source.factor
    if source.kind == TEMPERATURE and base < 0:
        raise ToolError(texts.CALC_TOO_COLD)
    return base / target.factor - target.offset


#: Kind, factor, English name in results, Chinese name in results, all spellings. A spelling is matched in its own case
#: first, then in any: Mb is megabit, MB and mb are megabyte.
_ROWS: tuple[tuple[Text, str, str, str, str], ...] = (
    (LENGTH, "1e-9", "nm", "纳米", "nm nanometer nanometers nanometre nanometres 纳米"),
    (LENGTH, "1e-6", "µm", "微米", "um μm micrometer micrometers micrometre micrometres micron microns 微米"),
    (LENGTH, "0.001", "mm", "毫米", "mm mms millimeter millimeters millimetre millimetres 毫米"),
    (LENGTH, "0.01", "cm", "厘米", "cm cms centimeter centimeters centimetre centimetres 厘米 公分"),
    (LENGTH, "0.1", "dm", "分米", "dm decimeter decimeters decimetre decimetres 分米"),
    (LENGTH, "1", "m", "米", "m meter meters metre metres 米 公尺"),
    (LENGTH, "1000", "km", "公里", "km kms kilometer kilometers kilometre kilometres 公里 千米"),
    (LENGTH, "0.0254", "inches", "英寸", "in inch inches 英寸"),
    (LENGTH, "0.3048", "feet", "英尺", "ft foot feet 英尺"),
    (LENGTH, "0.9144", "yards", "码", "yd yds yard yards 码"),
    (LENGTH, "1609.344", "miles", "英里", "mi mile miles 英里"),
    (LENGTH, "1852", "nautical miles", "海里", "nmi nautical_mile nautical_miles 海里"),
    (LENGTH, "500", "li", "里", "里 华里 市里"),
    (LENGTH, "1/3", "chi", "尺", "尺 市尺"),
    (MASS, "1e-6", "mg", "毫克", "mg milligram milligrams 毫克"),
    (MASS, "0.001", "g", "克", "g gram grams gramme grammes 克"),
    (MASS, "1", "kg", "千克", "kg kgs kilo kilos kilogram kilograms 千克 公斤"),
    (MASS, "1000", "tonnes", "吨", "t tonne tonnes metric_ton metric_tons 吨 公吨"),
    (MASS, "0.45359237", "pounds", "磅", "lb lbs pound pounds 磅"),
    (MASS, "0.028349523125", "ounces", "盎司", "oz ounce ounces 盎司"),
    (MASS, "6.35029318", "stone", "英石", "stone stones 英石"),
    (MASS, "907.18474", "short tons", "短吨", "short_ton short_tons us_ton us_tons 短吨"),
    (MASS, "1016.0469088", "long tons", "长吨", "long_ton long_tons 长吨"),
    (MASS, "0.0002", "carats", "克拉", "ct carat carats 克拉"),
    (MASS, "0.5", "jin", "斤", "斤 市斤"),
    (MASS, "0.05", "liang", "两", "两 市两"),
    (TIME, "0.001", "ms", "毫秒", "ms millisecond milliseconds 毫秒"),
    (TIME, "1", "seconds", "秒", "s sec secs second seconds 秒 秒钟"),
    (TIME, "60", "minutes", "分钟", "min mins minute minutes 分钟"),
    (TIME, "3600", "hours", "小时", "h hr hrs hour hours 小时 个小时 钟头"),
    (TIME, "86400", "days", "天", "d day days 天"),
    (TIME, "604800", "weeks", "周", "week weeks 周 星期 个星期"),
    (DATA, "0.125", "bits", "比特", "bit bits 比特"),
    (DATA, "125", "kilobits", "千比特", "kbit kilobit kilobits Kb"),
    (DATA, "125000", "megabits", "兆比特", "Mbit megabit megabits Mb"),
    (DATA, "125000000", "gigabits", "吉比特", "Gbit gigabit gigabits Gb"),
    (DATA, "1", "bytes", "字节", "B byte bytes 字节"),
    (DATA, "1e3", "KB (1000 bytes)", "KB（1000 字节）", "KB kB kilobyte kilobytes"),
    (DATA, "1e6", "MB (1000² bytes)", "MB（1000² 字节）", "MB megabyte megabytes 兆字节"),
    (DATA, "1e9", "GB (1000³ bytes)", "GB（1000³ 字节）", "GB gigabyte gigabytes 吉字节"),
    (DATA, "1e12", "TB (1000⁴ bytes)", "TB（1000⁴ 字节）", "TB terabyte terabytes 太字节"),
    (DATA, "1e15", "PB (1000⁵ bytes)", "PB（1000⁵ 字节）", "PB petabyte petabytes"),
    (DATA, "1024", "KiB", "KiB", "KiB kibibyte kibibytes"),
    (DATA, "1048576", "MiB", "MiB", "MiB mebibyte mebibytes"),
    (DATA, "1073741824", "GiB", "GiB", "GiB gibibyte gibibytes"),
    (DATA, "1099511627776", "TiB", "TiB", "TiB tebibyte tebibytes"),
    (AREA, "1e-6", "mm²", "平方毫米", "mm^2 mm2 square_millimeter square_millimeters 平方毫米"),
    (AREA, "1e-4", "cm²", "平方厘米", "cm^2 cm2 square_centimeter square_centimeters square_centimetres 平方厘米"),
    (
        AREA,
        "1",
        "m²",
        "平方米",
        (
            "m^2 m2 sqm sq_m sq_meter sq_meters sq_metre sq_metres square_m square_meter square_meters square_metre"
            " square_metres 平方米 平米"
        ),
    ),
    (
        AREA,
        "1e6",
        "km²",
        "平方公里",
        "km^2 km2 sq_km square_km square_kilometer square_kilometers square_kilometres 平方公里 平方千米",
    ),
    (AREA, "1e4", "hectares", "公顷", "ha hectare hectares 公顷"),
    (
        AREA,
        "0.00064516",
        "square inches",
        "平方英寸",
        "in^2 sq_in sq_inch sq_inches square_inch square_inches 平方英寸",
    ),
    (
        AREA,
        "0.09290304",
        "square feet",
        "平方英尺",
        "ft^2 ft2 sqft sq_ft sq_foot sq_feet square_ft square_foot square_feet 平方英尺",
    ),
    (AREA, "0.83612736", "square yards", "平方码", "yd^2 sq_yd sq_yards square_yard square_yards 平方码"),
    (AREA, "2589988.110336", "square miles", "平方英里", "mi^2 sq_mi sq_miles square_mile square_miles 平方英里"),
    (AREA, "4046.8564224", "acres", "英亩", "acre acres 英亩"),
    (AREA, "2000/3", "mu", "亩", "mu 亩 市亩"),
    (VOLUME, "0.001", "ml", "毫升", "ml mL mls milliliter milliliters millilitre millilitres 毫升"),
    (VOLUME, "1", "litres", "升", "l L ltr ltrs liter liters litre litres 升 公升"),
    (VOLUME, "0.001", "cm³", "立方厘米", "cm^3 cm3 cc cubic_centimeter cubic_centimeters 立方厘米"),
    (VOLUME, "1000", "m³", "立方米", "m^3 m3 cubic_meter cubic_meters cubic_metre cubic_metres 立方米"),
    (VOLUME, "28.316846592", "cubic feet", "立方英尺", "ft^3 ft3 cubic_foot cubic_feet 立方英尺"),
    (VOLUME, "3.785411784", "US gallons", "美制加仑", "gal gallon gallons us_gallon us_gallons 加仑 美制加仑"),
    (
        VOLUME,
        "4.54609",
        "imperial gallons",
        "英制加仑",
        "imperial_gallon imperial_gallons uk_gallon uk_gallons 英制加仑",
    ),
    (VOLUME, "0.946352946", "US quarts", "美制夸脱", "qt quart quarts 夸脱"),
    (VOLUME, "0.473176473", "US pints", "美制品脱", "pt pint pints 品脱"),
    (VOLUME, "0.2365882365", "US cups", "美制杯", "cup cups"),
    (VOLUME, "0.0295735295625", "US fluid ounces", "美制液体盎司", "fl_oz fluid_ounce fluid_ounces 液体盎司"),
    (VOLUME, "0.01478676478125", "US tablespoons", "美制汤匙", "tbsp tablespoon tablespoons 汤匙"),
    (VOLUME, "0.00492892159375", "US teaspoons", "美制茶匙", "tsp teaspoon teaspoons 茶匙"),
    (SPEED, "1", "m/s", "米/秒", "m/s mps meters_per_second metres_per_second 米/秒 米每秒"),
    (
        *(SPEED, "5/18", "km/h", "公里/小时"),
        "km/h kmh kph km/hr kilometers_per_hour kilometres_per_hour 公里/小时 公里每小时 千米/小时 千米每小时",
    ),
    (SPEED, "0.44704", "mph", "英里/小时", "mph mi/h miles_per_hour 英里/小时 英里每小时"),
    (SPEED, "463/900", "knots", "节", "kn knot knots 节"),
    (PRESSURE, "1", "Pa", "帕", "Pa pascal pascals 帕 帕斯卡"),
    (PRESSURE, "1000", "kPa", "千帕", "kPa kilopascal kilopascals 千帕"),
    (PRESSURE, "100000", "bar", "巴", "bar bars"),
    (PRESSURE, "101325", "atm", "标准大气压", "atm atmosphere atmospheres 标准大气压 大气压"),
    (PRESSURE, "8896443230521/1290320000", "psi", "psi", "psi pounds_per_square_inch"),
    (ENERGY, "1", "J", "焦耳", "joule joules 焦耳"),
    (ENERGY, "1000", "kJ", "千焦", "kJ kilojoule kilojoules 千焦"),
    (ENERGY, "4184", "kcal", "千卡", "kcal kilocalorie kilocalories 千卡 大卡"),
    (ENERGY, "3600000", "kWh", "千瓦时", "kWh kilowatt_hour kilowatt_hours 千瓦时"),
    (SPEED, "0.3048", "ft/s", "英尺/秒", "ft/s fps feet_per_second 英尺/秒 英尺每秒"),
)
_TEMPERATURES = (
    ("1", "0", "K", "开尔文", "K kelvin kelvins 开尔文"),
    ("1", "273.15", "°C", "摄氏度", "°C C celsius centigrade degrees_celsius degrees_C degree_celsius 摄氏度 摄氏"),
    ("5/9", "459.67", "°F", "华氏度", "°F F fahrenheit degrees_fahrenheit degrees_F degree_fahrenheit 华氏度 华氏"),
)


def _table() -> dict[str, Unit]:
    table: dict[str, Unit] = {}
    units = [
        *((Unit(kind, Text(en, zh), Fraction(factor)), names) for kind, factor, en, zh, names in _ROWS),
        *(
            (Unit(TEMPERATURE, Text(en, zh), Fraction(factor), Fraction(offset)), names)
            for factor, offset, en, zh, names in _TEMPERATURES
        ),
    ]
    for unit, names in units:
        for name in names.split():
            table[name.replace("_", " ")] = unit
    return table


#: Every unit by every spelling.
UNITS = _table()
_ANY_CASE = {name.casefold(): unit for name, unit in reversed(UNITS.items()) if name not in ("Kb", "Mb", "Gb")}


def unit(name: str) -> Unit:
    """The unit with that spelling. Raises `ToolError` for a word that is none."""
    name = " ".join(name.split())
    found = UNITS.get(name) or _ANY_CASE.get(name.casefold())
    if found is None:
        raise ToolError(texts.CALC_UNREADABLE, part=name[:40])
    return found
