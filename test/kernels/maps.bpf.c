/* Maps, data and sections of more sorts than fixtures/bpf has. test/kernels/bpf.ts compiles it, and compares what kelf and libbpf find. */
#define SEC(name) __attribute__((section(name), used))
#define __noinline __attribute__((noinline))
#define __hidden __attribute__((visibility("hidden")))
#define __uint(name, value) int(*name)[value]
#define __type(name, value) typeof(value) *name
#define __array(name, value) typeof(value) *name[]

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* struct_ops */
struct kelf_ops___v2 {
	int flags;
	int (*init)(void *);
	int (*release)(void *);
	char name[16];
};

SEC("struct_ops/init")
int kelf_init(void *ctx)
{
	return 0;
}

SEC("struct_ops/release")
int kelf_release(void *ctx)
{
	return 0;
}

SEC(".struct_ops")
struct kelf_ops___v2 kelf_ops = { .flags = 3, .init = kelf_init, .release = kelf_release, .name = "kelf" };

/* Maps in maps, programs in maps, every attribute */
struct inner {
	__uint(type, 1); /* hash */
	__uint(max_entries, 8);
	__type(key, int);
	__type(value, long);
	__uint(map_flags, 1);
};
struct inner first SEC(".maps"), second SEC(".maps");

struct {
	__uint(type, 13); /* hash_of_maps */
	__uint(max_entries, 4);
	__type(key, int);
	__array(values, struct inner);
} outer SEC(".maps") = { .values = { [2] = &first, [3] = &second } };

SEC("xdp")
int on_packet(void *ctx)
{
	return 2;
}

SEC("xdp.frags/devmap")
int on_redirected(void *ctx)
{
	return 2;
}

struct {
	__uint(type, 3); /* prog_array */
	__uint(max_entries, 4);
	__uint(key_size, 4);
	__array(values, int(void *));
} programs SEC(".maps") = { .values = { [1] = &on_packet, [3] = &on_redirected } };

struct {
	__uint(type, 24); /* sk_storage */
	__uint(map_flags, 1);
	__type(key, int);
	__type(value, struct { int a; });
} storage SEC(".maps");

struct {
	__uint(type, 30); /* bloom_filter */
	__uint(max_entries, 64);
	__uint(value_size, 8);
	__uint(map_extra, 5);
	__uint(pinning, 1);
	__uint(numa_node, 1);
} bloom SEC(".maps");

/* Data in sections of all sorts */
static volatile int kept = 5;
static const volatile int fixed = 6;
static int counted;
enum colour { RED = 1, BLUE = -2 } colour = BLUE;
_Bool flag = 1;
short small = -7;
struct bits {
	int a : 3;
	unsigned b : 5;
	long long c : 40;
} bits = { -1, 17, -5 };
int custom SEC(".data.custom") = 9;
const int custom_fixed SEC(".rodata.custom") = 10;
int custom_zero SEC(".bss.custom");

__noinline static int leaf(int x)
{
	return x * kept + fixed;
}

__noinline int branch(int x)
{
	counted += x;
	return leaf(x) + custom + custom_fixed + custom_zero;
}

__hidden __noinline int root(int x)
{
	return branch(x + 1) + small + flag + bits.b;
}

/* Sections that are recognised by rules of their own */
SEC("tc")
int on_traffic(int *ctx)
{
	return root(*ctx) + leaf(2) + colour;
}

SEC("?lsm.s/file_open")
int on_open(void *ctx)
{
	return branch(3);
}

SEC("my_own/section")
int on_nothing(void *ctx)
{
	return 0;
}

SEC("cgroup/connect4")
int on_connect(void *ctx)
{
	return 1;
}

SEC("kprobe")
int on_anything(void *ctx)
{
	return 0;
}

SEC("iter.s/task")
int on_task(void *ctx)
{
	return 0;
}
