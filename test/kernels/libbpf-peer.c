/* What libbpf makes of BPF objects: opens each file that is named, loads nothing, and prints a line for each program and map; without
 * files, its version.
 *   cc -o libbpf-peer libbpf-peer.c -lbpf
 * test/kernels/bpf.ts compares the lines with what kelf reads. */
#include <bpf/libbpf.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static int quiet(enum libbpf_print_level level, const char *format, va_list arguments)
{
	return 0;
}

static void print_map(const struct bpf_map *map, const char *indent)
{
	printf("%smap %s type=%d key=%u value=%u entries=%u flags=0x%x numa=%u extra=0x%llx autocreate=%d pin=%s\n", indent, bpf_map__name(map),
	       bpf_map__type(map), bpf_map__key_size(map), bpf_map__value_size(map), bpf_map__max_entries(map), bpf_map__map_flags(map),
	       bpf_map__numa_node(map), (unsigned long long)bpf_map__map_extra(map), bpf_map__autocreate(map),
	       bpf_map__pin_path(map) ? "yes" : "no");
}

int main(int count, char **files)
{
	int failed = 0;

	libbpf_set_print(quiet);
	if (count == 1)
		printf("%u.%u\n", libbpf_major_version(), libbpf_minor_version());
	for (int i = 1; i < count; i++) {
		struct bpf_object *object = bpf_object__open_file(files[i], NULL);
		struct bpf_program *program;
		struct bpf_map *map;

		printf("object %s\n", files[i]);
		if (!object) {
			printf("refused\n");
			failed++;
			continue;
		}
		printf("name %s\n", bpf_object__name(object));
		bpf_object__for_each_program(program, object)
			printf("program %s section=%s type=%d attach=%d autoload=%d insns=%zu\n", bpf_program__name(program),
			       bpf_program__section_name(program), bpf_program__type(program), bpf_program__expected_attach_type(program),
			       bpf_program__autoload(program), bpf_program__insn_cnt(program));
		bpf_object__for_each_map(map, object) {
			struct bpf_map *inner = bpf_map__inner_map(map);

			print_map(map, "");
			if (inner)
				print_map(inner, "  ");
		}
		bpf_object__close(object);
	}
	return 0;
}
