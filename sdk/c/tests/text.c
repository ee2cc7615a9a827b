#include "text.h"

#include "tests.h"

static void trims_spaces_and_tabs_only(void)
{
    SHIPWAY_EXPECT_TEXT(shipway_str_trim(shipway_str_of(" \t a b\t ")), "a b");
    SHIPWAY_EXPECT_TEXT(shipway_str_trim(shipway_str_of(" \t ")), "");
    SHIPWAY_EXPECT_TEXT(shipway_str_trim((shipway_str){0}), "");
    SHIPWAY_EXPECT_TEXT(shipway_str_trim(shipway_str_of("\na\r")), "\na\r");
}

static void cuts_at_the_first_separator(void)
{
    shipway_str before = shipway_str_of("kept"), after = shipway_str_of("kept");
    SHIPWAY_EXPECT(!shipway_str_cut(shipway_str_of("none"), ':', &before, &after));
    SHIPWAY_EXPECT_TEXT(before, "kept");
    SHIPWAY_EXPECT(shipway_str_cut(shipway_str_of("a:b:c"), ':', &before, &after));
    SHIPWAY_EXPECT_TEXT(before, "a");
    SHIPWAY_EXPECT_TEXT(after, "b:c");
    SHIPWAY_EXPECT(shipway_str_cut(shipway_str_of(":"), ':', &before, &after));
    SHIPWAY_EXPECT(before.length == 0 && after.length == 0);
}

static void reads_lines_without_their_ends(void)
{
    shipway_str rest = shipway_str_of("one\r\n\ntwo"), line;
    SHIPWAY_EXPECT(shipway_str_next_line(&rest, &line));
    SHIPWAY_EXPECT_TEXT(line, "one");
    SHIPWAY_EXPECT(shipway_str_next_line(&rest, &line));
    SHIPWAY_EXPECT_TEXT(line, "");
    SHIPWAY_EXPECT(shipway_str_next_line(&rest, &line));
    SHIPWAY_EXPECT_TEXT(line, "two");
    SHIPWAY_EXPECT(!shipway_str_next_line(&rest, &line));
}

static void splits_at_runs_of_spaces(void)
{
    shipway_strs words = shipway_str_words(shipway_str_of("  a   b\tc "));
    SHIPWAY_EXPECT(words.count == 2);
    SHIPWAY_EXPECT_TEXT(words.items[0], "a");
    SHIPWAY_EXPECT_TEXT(words.items[1], "b\tc");
    SHIPWAY_EXPECT(shipway_str_words((shipway_str){0}).count == 0);
}

static void compares_and_searches(void)
{
    shipway_str text = shipway_str_of("release:gate");
    SHIPWAY_EXPECT(shipway_str_starts_with(text, "release"));
    SHIPWAY_EXPECT(!shipway_str_starts_with(text, "release:gates"));
    SHIPWAY_EXPECT(shipway_str_contains(text, shipway_str_of("gate")));
    SHIPWAY_EXPECT(shipway_str_contains(text, (shipway_str){0}));
    SHIPWAY_EXPECT(!shipway_str_contains(text, shipway_str_of("gates")));
    SHIPWAY_EXPECT(!shipway_str_contains((shipway_str){0}, text));
    SHIPWAY_EXPECT(shipway_str_equal((shipway_str){0}, shipway_str_of("")));
}

static void knows_utf8(void)
{
    SHIPWAY_EXPECT(
        shipway_str_is_utf8(shipway_str_of("gr\xC3\xBC\xC3\x9F \xE2\x82\xAC \xF0\x9F\x9A\xA2")));
    const char *const broken[] = {
        "\xFF",             /* No byte of UTF-8. */
        "\xC3",             /* Cut off. */
        "\xC0\xAF",         /* Overlong. */
        "\xE0\x9F\xBF",     /* Overlong. */
        "\xED\xA0\x80",     /* A surrogate. */
        "\xF4\x90\x80\x80", /* Past the last character. */
        "\xE2\x28\xA1",     /* No continuation. */
        "\x80",             /* A continuation alone. */
    };
    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++)
        SHIPWAY_EXPECT(!shipway_str_is_utf8(shipway_str_of(broken[i])));
}

static void repairs_what_is_no_utf8(void)
{
    shipway_str text = shipway_str_of("plain");
    SHIPWAY_EXPECT(shipway_str_repaired(text).data == text.data);
    SHIPWAY_EXPECT_TEXT(shipway_str_repaired(shipway_str_of("a\xFF\xC3\xBC\xE2\x82")),
        "a\xEF\xBF\xBD\xC3\xBC\xEF\xBF\xBD\xEF\xBF\xBD");
}

static void formats_as_printf_does(void)
{
    shipway_str name = {"release-notes", 7};
    SHIPWAY_EXPECT_TEXT(shipway_format("%.*s is %u", SHIPWAY_ARG(name), 7u), "release is 7");
    SHIPWAY_EXPECT_TEXT(shipway_format("%s", ""), "");
}

static void lists_grow(void)
{
    shipway_strs list = SHIPWAY_STRS("a", "b", "c");
    for (unsigned i = 0; i < 100; i++)
        shipway_strs_add(&list, shipway_format("%u", i));
    SHIPWAY_EXPECT(list.count == 103);
    SHIPWAY_EXPECT_TEXT(list.items[2], "c");
    SHIPWAY_EXPECT_TEXT(list.items[102], "99");

    shipway_pairs pairs = {0};
    shipway_str value = {0};
    shipway_pairs_add(&pairs, "a", shipway_str_of("1"));
    SHIPWAY_EXPECT(!shipway_pairs_get(&pairs, "A", &value));
    SHIPWAY_EXPECT(shipway_pairs_get(&pairs, "a", &value));
    SHIPWAY_EXPECT_TEXT(value, "1");
}

static void memory_is_zeroed_and_aligned(void)
{
    for (size_t size = 0; size < 200; size++) {
        unsigned char *memory = shipway_alloc(size);
        SHIPWAY_EXPECT((uintptr_t)memory % sizeof(max_align_t) == 0);
        for (size_t i = 0; i < size; i++)
            SHIPWAY_EXPECT(memory[i] == 0);
        memset(memory, 0xAA, size);
    }
    char *large = shipway_alloc((size_t)1 << 20);
    large[((size_t)1 << 20) - 1] = 'x';
}

void test_text(void)
{
    shipway_testing_begin();
    trims_spaces_and_tabs_only();
    cuts_at_the_first_separator();
    reads_lines_without_their_ends();
    splits_at_runs_of_spaces();
    compares_and_searches();
    knows_utf8();
    repairs_what_is_no_utf8();
    formats_as_printf_does();
    lists_grow();
    memory_is_zeroed_and_aligned();
}
