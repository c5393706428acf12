/* Map definitions of the old sort, which libbpf since 1.0 refuses. test/kernels/bpf.ts compiles it. */
#define SEC(name) __attribute__((section(name), used))
struct bpf_map_def { unsigned type, key_size, value_size, max_entries, map_flags; };
struct bpf_map_def counts SEC("maps") = { 1, 4, 8, 16, 1 };
struct bpf_map_def names SEC("maps") = { 2, 4, 16, 2, 0 };
char LICENSE[] SEC("license") = "GPL";
static void *(*lookup)(void *map, const void *key) = (void *)1;
SEC("socket")
int count(void *ctx)
{
	unsigned key = 0;
	long *value = lookup(&counts, &key);
	return value ? *value : lookup(&names, &key) != 0;
}
