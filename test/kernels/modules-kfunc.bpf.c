/* Kfuncs of the module nf_conntrack, in an object of their own, since libbpf refuses all of it where they are not there; otherwise as modules.bpf.c. */
#define SEC(name) __attribute__((section(name), used))
typedef unsigned int u32;

/* Declared alone, they would be of another kind than the kernel's: libbpf compares what pointers lead to. */
struct __sk_buff {
	u32 len;
};
struct nf_conn {
	unsigned long status;
} __attribute__((preserve_access_index));
struct bpf_sock_tuple {
	u32 saddr, daddr, ports;
};
struct bpf_ct_opts {
	int netns_id, error;
	unsigned char l4proto, dir, reserved[2];
};
extern struct nf_conn *bpf_skb_ct_lookup(struct __sk_buff *, struct bpf_sock_tuple *, u32, struct bpf_ct_opts *, u32) SEC(".ksyms");
extern void bpf_ct_release(struct nf_conn *) SEC(".ksyms");

SEC("tc") int kfunc_module(struct __sk_buff *packet)
{
	struct bpf_sock_tuple tuple = {};
	struct bpf_ct_opts options = { .netns_id = -1, .l4proto = 6 };
	struct nf_conn *connection = bpf_skb_ct_lookup(packet, &tuple, sizeof(tuple), &options, sizeof(options));

	if (connection)
		bpf_ct_release(connection);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
