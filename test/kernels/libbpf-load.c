/* Loads BPF objects with libbpf, and prints its debug log: what it makes of CO-RE relocations for a kernel's BTF, which need not be that of the
 * running kernel. What tools set before they load (the sizes of some maps) is set so that it loads at all.
 *   cc -o libbpf-load libbpf-load.c -lbpf
 *   libbpf-load BTF OBJECT...
 * Needs the right to call bpf(2). */
#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <stdarg.h>
#include <stdio.h>

static int print(enum libbpf_print_level level, const char *format, va_list arguments)
{
	return vprintf(format, arguments);
}

int main(int count, char **arguments)
{
	LIBBPF_OPTS(bpf_object_open_opts, options, .btf_custom_path = arguments[1]);

	libbpf_set_print(print);
	for (int i = 2; i < count; i++) {
		struct bpf_object *object = bpf_object__open_file(arguments[i], &options);
		struct bpf_map *map;

		printf("object %s\n", arguments[i]);
		if (!object)
			continue;
		bpf_object__for_each_map(map, object) {
			enum bpf_map_type type = bpf_map__type(map);

			if (bpf_map__max_entries(map) == 0 && type != BPF_MAP_TYPE_PERF_EVENT_ARRAY)
				bpf_map__set_max_entries(map, 1);
			if (bpf_map__value_size(map) == 0 && type == BPF_MAP_TYPE_STACK_TRACE)
				bpf_map__set_value_size(map, 127 * 8);
		}
		printf("loaded %d\n", bpf_object__load(object));
		bpf_object__close(object);
	}
	return 0;
}
