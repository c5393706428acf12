/* Programs that name what Debian's kernels have in the modules xfs and nf_conntrack: whether they load and attach once these are loaded is asked with
 * libbpf-attach.c, and compared by preflight.ts.
 *   clang -O2 -g -target bpf -c -o modules.o modules.bpf.c */
#define SEC(name) __attribute__((section(name), used))
typedef unsigned long long u64;

struct __sk_buff;
struct nf_conn {
	unsigned long status;
} __attribute__((preserve_access_index));
struct xfs_inode {
	u64 i_ino;
} __attribute__((preserve_access_index));
/* One that xfs has, with a member that it has not. */
struct xfs_inode___other {
	u64 no_such_member;
} __attribute__((preserve_access_index));

static long (*probe_read_kernel)(void *to, unsigned int size, const void *from) = (void *)113;

SEC("fentry/xfs_trans_alloc") int fentry_module(u64 *ctx) { return 0; }
SEC("fexit/xfs_trans_alloc") int fexit_module(u64 *ctx) { return 0; }
SEC("fentry/nf_ct_get_tuple") int fentry_arguments(u64 *ctx) { return 0; }
SEC("fentry/xfs_no_such_function") int fentry_nothing(u64 *ctx) { return 0; }
SEC("kprobe/xfs_trans_alloc") int kprobe_module(void *ctx) { return 0; }
SEC("kretprobe/xfs_trans_alloc") int kretprobe_module(void *ctx) { return 0; }
SEC("kprobe/xfs_no_such_function") int kprobe_nothing(void *ctx) { return 0; }
SEC("kprobe.multi/xfs_trans_alloc") int multi_module(void *ctx) { return 0; }
SEC("kprobe.multi/xfs_trans_al*") int multi_pattern(void *ctx) { return 0; }
SEC("tp_btf/xfs_trans_alloc") int tp_btf_module(u64 *ctx) { return 0; }
SEC("raw_tp/xfs_trans_alloc") int raw_tp_module(u64 *ctx) { return 0; }
SEC("raw_tp/xfs_no_such_tracepoint") int raw_tp_nothing(u64 *ctx) { return 0; }
SEC("tp/xfs/xfs_trans_alloc") int tp_module(void *ctx) { return 0; }
SEC("tp/ext4/xfs_trans_alloc") int tp_elsewhere(void *ctx) { return 0; }
SEC("tp/ftrace/print") int tp_of_ftrace(void *ctx) { return 0; }
SEC("tp/syscalls/sys_enter_openat") int tp_syscall(void *ctx) { return 0; }

SEC("kprobe/xfs_iget") int core_module(void *ctx)
{
	struct xfs_inode *inode = *(void **)ctx;
	u64 number = 0;

	probe_read_kernel(&number, sizeof(number), &inode->i_ino);
	return number;
}

SEC("kprobe/xfs_iget") int core_missing(void *ctx)
{
	struct xfs_inode___other *inode = *(void **)ctx;
	u64 number = 0;

	probe_read_kernel(&number, sizeof(number), &inode->no_such_member);
	return number;
}

char LICENSE[] SEC("license") = "GPL";
