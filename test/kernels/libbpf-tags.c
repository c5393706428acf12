/* Loads BPF objects with libbpf, and prints the tag that the kernel shows for each program.
 *   cc -o libbpf-tags libbpf-tags.c -lbpf
 * Needs the right to call bpf(2). */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <stdarg.h>
#include <stdio.h>

static int quiet(enum libbpf_print_level level, const char *format, va_list arguments)
{
	return 0;
}

int main(int count, char **files)
{
	libbpf_set_print(quiet);
	for (int i = 1; i < count; i++) {
		struct bpf_object *object = bpf_object__open_file(files[i], NULL);
		struct bpf_program *program;
		struct bpf_map *map;

		if (!object)
			continue;
		/* As libbpf-load.c does */
		bpf_object__for_each_map(map, object) {
			enum bpf_map_type type = bpf_map__type(map);

			if (bpf_map__max_entries(map) == 0 && type != BPF_MAP_TYPE_PERF_EVENT_ARRAY)
				bpf_map__set_max_entries(map, 1);
			if (bpf_map__value_size(map) == 0 && type == BPF_MAP_TYPE_STACK_TRACE)
				bpf_map__set_value_size(map, 127 * 8);
		}
		bpf_object__load(object);
		bpf_object__for_each_program(program, object) {
			struct bpf_prog_info info = {};
			__u32 length = sizeof(info);
			int fd = bpf_program__fd(program);

			if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &length))
				continue;
			printf("%s ", bpf_program__name(program));
			for (int byte = 0; byte < BPF_TAG_SIZE; byte++)
				printf("%02x", info.tag[byte]);
			printf("\n");
		}
		bpf_object__close(object);
	}
	return 0;
}
