/* Loads BPF objects with libbpf and prints its debug log: what it makes of CO-RE relocations for the running kernel, or for a kernel whose BTF is
 * given. For the running one each program is then loaded by itself, and a line has the tag that the kernel shows for it: `tag NAME HEX`. What tools
 * set before they load (the sizes of some maps) is set so that it loads at all. loader.ts compares this with what kelf says.
 *   cc -o libbpf-load libbpf-load.c -lbpf
 *   libbpf-load [-b BTF] OBJECT...
 * Needs the right to call bpf(2). Attaches nothing. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static int silent;

static int print(enum libbpf_print_level level, const char *format, va_list arguments)
{
	return silent ? 0 : vprintf(format, arguments);
}

static struct bpf_object *open_object(const char *path, const char *btf)
{
	LIBBPF_OPTS(bpf_object_open_opts, options, .btf_custom_path = btf);
	struct bpf_object *object = bpf_object__open_file(path, &options);
	struct bpf_map *map;

	if (!object)
		return NULL;
	bpf_object__for_each_map(map, object) {
		enum bpf_map_type type = bpf_map__type(map);

		if (bpf_map__max_entries(map) == 0 && type != BPF_MAP_TYPE_PERF_EVENT_ARRAY)
			bpf_map__set_max_entries(map, type == BPF_MAP_TYPE_RINGBUF ? 4096 : 1);
		if (bpf_map__value_size(map) == 0 && type == BPF_MAP_TYPE_STACK_TRACE)
			bpf_map__set_value_size(map, 127 * 8);
	}
	return object;
}

static void print_tag(const struct bpf_program *program)
{
	struct bpf_prog_info info = {};
	__u32 length = sizeof(info);

	if (bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &length))
		return;
	printf("tag %s ", bpf_program__name(program));
	for (int byte = 0; byte < BPF_TAG_SIZE; byte++)
		printf("%02x", info.tag[byte]);
	printf("\n");
}

/* Loads the program of a number alone, and prints its tag; returns how many there are. */
static int one(const char *path, int number)
{
	struct bpf_object *object = open_object(path, NULL);
	struct bpf_program *program, *wanted = NULL;
	int count = 0;

	if (!object)
		return 0;
	bpf_object__for_each_program(program, object) {
		bpf_program__set_autoload(program, count == number);
		if (count++ == number)
			wanted = program;
	}
	if (wanted && bpf_object__load(object) == 0)
		print_tag(wanted);
	bpf_object__close(object);
	return count;
}

int main(int count, char **arguments)
{
	const char *btf = count > 2 && strcmp(arguments[1], "-b") == 0 ? arguments[2] : NULL;

	libbpf_set_strict_mode(LIBBPF_STRICT_ALL);
	libbpf_set_print(print);
	for (int i = btf ? 3 : 1; i < count; i++) {
		struct bpf_object *object = open_object(arguments[i], btf);

		printf("object %s\n", arguments[i]);
		if (!object)
			continue;
		printf("loaded %d\n", bpf_object__load(object));
		bpf_object__close(object);
		silent = 1;
		for (int number = 0, programs = 1; !btf && number < programs; number++)
			programs = one(arguments[i], number);
		silent = 0;
	}
	return 0;
}
