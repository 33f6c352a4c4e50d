"""Published tables, transcribed: one token per unit, one character per rater, a full stop where a rating is missing."""

from collections.abc import Sequence

from reviewapp.stats.patterns import PatternTable, Ratings

KRIPPENDORFF_2011 = "11.1 2232 3333 3333 2222 1234 4444 1121 2222 .555 ..11 .3.."
GWET_RAW_4_RATERS = "11.1 2232 3333 3333 2222 1234 4444 1121 2222 .555 ..11 ..3."
HAYES_KRIPPENDORFF_2007 = (
    "112.2 1101. 2333. .00.0 000.0 000.0 102.1 1.20. 222.2 2111. .100. 0000. 1222. 33223 111.1 111.1 212.2 1233. 1101. "
    "000.0 0011. 00.00 2333. 0000. 12.22 0111. 00010 1212. 1122. 112.2 110.0 2121. 22.22 3222. 222.2 223.2 222.2 22.12 "
    "2222. 111.1"
)
# Counts in five categories, six raters for each of 30 patients.
FLEISS_1971 = (
    "00060 03003 01401 00006 03030 20400 00402 20310 20040 00006 10050 11040 03300 10050 02031 "
    "00501 30012 51000 02040 10203 00006 01050 02013 20040 10041 05010 40002 02040 10500 00006"
)
THREE_ABSTRACTORS = [[13, 0, 0], [0, 20, 7], [0, 4, 56]]
SHROUT_FLEISS_1979 = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]
OPTION_SETS = "{}-{} A-{} A-A A-B AB-A AB-AC ABC-ABC C-AC C-AC"
DAWID_SKENE_1979 = (
    "1111111 3334334 1122122 2223121 2223222 2223322 1122111 3333433 2222223 2322223 4444444 2223343 1111111 2223212 "
    "1211111 1112111 1111111 1111111 2222221 2221322 2222222 2222221 2223222 2212222 1111111 1111111 2322222 1111111 "
    "1111111 1121121 1111111 3333233 1111111 2222222 2223232 4334343 2212232 2323233 3333432 1111111 1111111 1212111 "
    "2322222 1211111 2222222"
)


def ratings(text: str, categories: Sequence[int]) -> Ratings:
    rows = [
        (unit, rater, int(mark))
        for unit, token in enumerate(text.split())
        for rater, mark in enumerate(token)
        if mark != "."
    ]
    return Ratings.from_rows(rows, categories, values=[float(category) for category in categories])


def table(text: str, categories: Sequence[int]) -> PatternTable:
    return ratings(text, categories).patterns()


def count_table(text: str) -> PatternTable:
    tokens = text.split()
    rows = [({k: int(mark) for k, mark in enumerate(token)}, 1) for token in tokens]
    return PatternTable.from_compositions(rows, range(len(tokens[0])))


def pair_table(counts: Sequence[Sequence[int]]) -> PatternTable:
    q = len(counts)
    rows = [
        ({row: 2} if row == column else {row: 1, column: 1}, counts[row][column])
        for row in range(q)
        for column in range(q)
        if counts[row][column]
    ]
    return PatternTable.from_compositions(rows, range(q))


def set_table() -> PatternTable:
    rows = [
        (unit, frozenset(one.strip("{}"))) for unit, both in enumerate(OPTION_SETS.split()) for one in both.split("-")
    ]
    return PatternTable.from_rows(rows, sorted({value for _, value in rows}, key=sorted))
