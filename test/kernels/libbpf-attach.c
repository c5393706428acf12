/* Loads and attaches every program of BPF objects with libbpf, each by itself, and says what came of it: a line for each with the object, the program,
 * `load`, `attach` or `works` for how far it came, the errno, and the end of libbpf's log. What tools set before they load (the sizes of some maps)
 * is set so that it loads at all. preflight.ts compares it with `kelf bpf check`.
 *   cc -static -o libbpf-attach libbpf-attach.c -lbpf -lelf -lz
 *   libbpf-attach [MODULE.ko]... OBJECT...
 * Modules are loaded first, in their order. Needs to be root; tracefs and bpffs are mounted for itself only. */
#define _GNU_SOURCE
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static char text[1 << 20];
static size_t length;

static int print(enum libbpf_print_level level, const char *format, va_list arguments)
{
	int written;

	if (level == LIBBPF_DEBUG || length > sizeof(text) / 2)
		return 0;
	written = vsnprintf(text + length, sizeof(text) - length, format, arguments);
	if (written > 0)
		length += written < (int)(sizeof(text) - length) ? written : (int)(sizeof(text) - length) - 1;
	return 0;
}

static void say(const char *object, const char *program, const char *step, int error)
{
	const char *end = length > 400 ? text + length - 400 : text;

	printf("%s\t%s\t%s\t%d\t", object, program, step, -error);
	for (text[length] = 0; *end; end++)
		putchar(*end == '\n' || *end == '\t' ? ' ' : *end);
	putchar('\n');
	fflush(stdout);
}

/* Loads and attaches the program of a number; returns how many there are. */
static int one(const char *path, int number)
{
	struct bpf_object *object;
	struct bpf_program *program, *wanted = NULL;
	struct bpf_map *map;
	int count = 0, error;

	length = 0;
	object = bpf_object__open_file(path, NULL);
	if (!object)
		return 0;
	bpf_object__for_each_program(program, object) {
		bpf_program__set_autoload(program, count == number);
		if (count++ == number)
			wanted = program;
	}
	bpf_object__for_each_map(map, object) {
		enum bpf_map_type type = bpf_map__type(map);

		if (bpf_map__max_entries(map) == 0 && type != BPF_MAP_TYPE_PERF_EVENT_ARRAY)
			bpf_map__set_max_entries(map, type == BPF_MAP_TYPE_RINGBUF ? 4096 : 1);
		if (bpf_map__value_size(map) == 0 && type == BPF_MAP_TYPE_STACK_TRACE)
			bpf_map__set_value_size(map, 127 * 8);
	}
	if (wanted) {
		const char *name = bpf_program__name(wanted);

		error = bpf_object__load(object);
		if (error) {
			say(path, name, "load", error);
		} else {
			struct bpf_link *link = bpf_program__attach(wanted);

			error = libbpf_get_error(link);
			say(path, name, error ? "attach" : "works", error);
			if (!error)
				bpf_link__destroy(link);
		}
	}
	bpf_object__close(object);
	return count;
}

static void all(const char *path)
{
	for (int number = 0, count = 1; number < count; number++)
		count = one(path, number);
}

int main(int count, char **arguments)
{
	libbpf_set_strict_mode(LIBBPF_STRICT_ALL);
	libbpf_set_print(print);
	if (unshare(CLONE_NEWNS) == 0)
		mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL);
	mkdir("/sys/kernel/tracing", 0755);
	mount("tracefs", "/sys/kernel/tracing", "tracefs", 0, NULL);
	mkdir("/sys/fs/bpf", 0755);
	mount("bpf", "/sys/fs/bpf", "bpf", 0, NULL);
	for (int i = 1; i < count; i++) {
		size_t end = strlen(arguments[i]);

		if (end > 3 && strcmp(arguments[i] + end - 3, ".ko") == 0) {
			if (syscall(SYS_finit_module, open(arguments[i], O_RDONLY), "", 0) != 0)
				printf("%s\t-\tmodule\t%d\t-\n", arguments[i], errno);
		} else {
			all(arguments[i]);
		}
	}
	return 0;
}
