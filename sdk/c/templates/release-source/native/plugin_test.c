#include "shipway_testing.h"

static void scripts_run_in_the_order_of_their_names(void)
{
    shipway_testing_begin();
    shipway_testing_file("release.d/20-b.sh", "./b\n");
    shipway_testing_file("release.d/10-a.sh", "#!/bin/sh\n# Migrate\n./a\n");
    shipway_testing_file("release.d/30-c.sh", "\n");
    shipway_collected collected = {0};
    SHIPWAY_EXPECT(!plugin_collect(shipway_testing_deployment(), &collected));
    SHIPWAY_EXPECT(collected.commands.count == 2 && collected.skipped.count == 1);
    SHIPWAY_EXPECT_TEXT(collected.commands.items[0]->label, "Migrate");
    SHIPWAY_EXPECT_TEXT(collected.commands.items[1]->label, "release.d/20-b.sh");
}

int main(void)
{
    scripts_run_in_the_order_of_their_names();
    return shipway_testing_end();
}
