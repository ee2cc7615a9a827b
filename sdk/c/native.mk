# For the Makefile of a plugin's native tests:
#
#     SHIPWAY_SDK = shipway-sdk
#     include $(SHIPWAY_SDK)/native.mk
#     build/native-test: src/plugin.c tests/native.c $(SHIPWAY_NATIVE_SOURCES)
#     	$(CC) $(SHIPWAY_NATIVE_FLAGS) -o $@ $^

SHIPWAY_NATIVE_SOURCES = $(wildcard $(SHIPWAY_SDK)/src/*.c $(SHIPWAY_SDK)/testing/*.c)

# Whatever reads or writes where it must not ends the test with a report.
SHIPWAY_NATIVE_FLAGS = -std=c11 -D_POSIX_C_SOURCE=200809L -g -O1 -Wall -Wextra -Werror \
	-fsanitize=address,undefined -fno-sanitize-recover=all \
	-I$(SHIPWAY_SDK)/include -I$(SHIPWAY_SDK)/src -I$(SHIPWAY_SDK)/testing
