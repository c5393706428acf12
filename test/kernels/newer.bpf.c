/* Sections of newer objects: struct_ops with links (libbpf 1.2), arenas (1.5), tables of jumps (1.7). test/kernels/bpf.ts compiles it. */
#define SEC(name) __attribute__((section(name), used))
#define __uint(name, value) int(*name)[value]

char LICENSE[] SEC("license") = "GPL";

struct kelf_ops {
	int flags;
	int (*init)(void *);
	int (*release)(void *);
	char name[16];
};

SEC("struct_ops/init")
int linked_init(void *ctx)
{
	return 0;
}

SEC("struct_ops.s/release")
int linked_release(void *ctx)
{
	return 1;
}

SEC(".struct_ops.link")
struct kelf_ops linked_ops = { .flags = 5, .init = linked_init, .release = linked_release, .name = "linked" };

SEC("?.struct_ops.link")
struct kelf_ops optional_ops = { .init = linked_init };

struct {
	__uint(type, 33); /* arena */
	__uint(map_flags, 1 << 10); /* BPF_F_MMAPABLE */
	__uint(max_entries, 100);
	__uint(map_extra, 1 << 16);
} arena SEC(".maps");

SEC("xdp")
int with_arena(void *ctx)
{
	return *(volatile int *)&arena;
}

/* What clang has as address space 1, and a table as LLVM since 21 lays it out; neither takes more of the compiler than a section. */
int shared SEC(".addr_space.1") = 7;
unsigned long table[2] SEC(".jumptables") = { 0, 8 };

SEC("tc")
int with_table(void *ctx)
{
	return table[(long)ctx & 1] + shared;
}
