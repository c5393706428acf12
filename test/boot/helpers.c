/* Asks the verifier of the kernel that it runs on, for each kind of program and each helper, whether the kind may call it. A line for each kind
 * that can be loaded: the numbers of the helpers, with `g` where the GPL is needed, `s` where the program would have to be one that may sleep,
 * `n` where the function that it is loaded for is not among those that may. helper-sets.ts makes a table of such outputs. Before them a line for
 * each program type and each map type, by number, as libbpf probes them for bpftool; each LSM hook and iterator; and, for the functions whose names
 * a file has, who may call them. features.ts compares all of it with `kelf features`.
 *   gcc -O1 -static -o helpers helpers.c -lbpf -lelf -lz
 *   kelf features KERNEL --only kfuncs --json | jq -r '.features.kfuncs[].name' > kfuncs
 *   npm run boot -- amd64 6.12 --run helpers kfuncs > 6.12.txt
 * Needs headers and a libbpf that know BPF_MAP_TYPE_RHASH (1.8). */
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <stdlib.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/mount.h>
#include <unistd.h>

#define offsetofend(type, member) (offsetof(type, member) + sizeof(((type *)0)->member))
struct kind { const char *name; int type; int attach; const char *btf; int btf_kind; int sleepable; };
static struct kind kinds[] = {
 {"socket_filter",BPF_PROG_TYPE_SOCKET_FILTER,-1},
 {"kprobe",BPF_PROG_TYPE_KPROBE,-1},
 {"kprobe.s",BPF_PROG_TYPE_KPROBE,-1,0,0,1},
 {"kprobe:TRACE_KPROBE_MULTI",BPF_PROG_TYPE_KPROBE,BPF_TRACE_KPROBE_MULTI},
 {"kprobe:TRACE_KPROBE_SESSION",BPF_PROG_TYPE_KPROBE,BPF_TRACE_KPROBE_SESSION},
 {"kprobe:TRACE_UPROBE_MULTI",BPF_PROG_TYPE_KPROBE,BPF_TRACE_UPROBE_MULTI},
 {"kprobe:TRACE_UPROBE_MULTI.s",BPF_PROG_TYPE_KPROBE,BPF_TRACE_UPROBE_MULTI,0,0,1},
 {"kprobe:TRACE_UPROBE_SESSION",BPF_PROG_TYPE_KPROBE,BPF_TRACE_UPROBE_SESSION},
 {"sched_cls",BPF_PROG_TYPE_SCHED_CLS,-1},
 {"sched_act",BPF_PROG_TYPE_SCHED_ACT,-1},
 {"tracepoint",BPF_PROG_TYPE_TRACEPOINT,-1},
 {"xdp",BPF_PROG_TYPE_XDP,BPF_XDP},
 {"xdp:none",BPF_PROG_TYPE_XDP,-1},
 {"xdp:XDP_DEVMAP",BPF_PROG_TYPE_XDP,BPF_XDP_DEVMAP},
 {"xdp:XDP_CPUMAP",BPF_PROG_TYPE_XDP,BPF_XDP_CPUMAP},
 {"perf_event",BPF_PROG_TYPE_PERF_EVENT,-1},
 {"cgroup_skb",BPF_PROG_TYPE_CGROUP_SKB,BPF_CGROUP_INET_INGRESS},
 {"cgroup_skb:CGROUP_INET_EGRESS",BPF_PROG_TYPE_CGROUP_SKB,BPF_CGROUP_INET_EGRESS},
 {"cgroup_sock:CGROUP_INET_SOCK_CREATE",BPF_PROG_TYPE_CGROUP_SOCK,BPF_CGROUP_INET_SOCK_CREATE},
 {"cgroup_sock:CGROUP_INET_SOCK_RELEASE",BPF_PROG_TYPE_CGROUP_SOCK,BPF_CGROUP_INET_SOCK_RELEASE},
 {"cgroup_sock:CGROUP_INET4_POST_BIND",BPF_PROG_TYPE_CGROUP_SOCK,BPF_CGROUP_INET4_POST_BIND},
 {"cgroup_sock:CGROUP_INET6_POST_BIND",BPF_PROG_TYPE_CGROUP_SOCK,BPF_CGROUP_INET6_POST_BIND},
 {"lwt_in",BPF_PROG_TYPE_LWT_IN,-1},{"lwt_out",BPF_PROG_TYPE_LWT_OUT,-1},{"lwt_xmit",BPF_PROG_TYPE_LWT_XMIT,-1},{"lwt_seg6local",BPF_PROG_TYPE_LWT_SEG6LOCAL,-1},
 {"sock_ops",BPF_PROG_TYPE_SOCK_OPS,BPF_CGROUP_SOCK_OPS},
 {"sk_skb",BPF_PROG_TYPE_SK_SKB,-1},
 {"sk_skb:SK_SKB_STREAM_VERDICT",BPF_PROG_TYPE_SK_SKB,BPF_SK_SKB_STREAM_VERDICT},
 {"cgroup_device",BPF_PROG_TYPE_CGROUP_DEVICE,BPF_CGROUP_DEVICE},
 {"sk_msg",BPF_PROG_TYPE_SK_MSG,BPF_SK_MSG_VERDICT},
 {"raw_tracepoint",BPF_PROG_TYPE_RAW_TRACEPOINT,-1},
 {"raw_tracepoint_writable",BPF_PROG_TYPE_RAW_TRACEPOINT_WRITABLE,-1},
#define SA(x) {"cgroup_sock_addr:" #x,BPF_PROG_TYPE_CGROUP_SOCK_ADDR,BPF_##x}
 SA(CGROUP_INET4_BIND),SA(CGROUP_INET6_BIND),SA(CGROUP_INET4_CONNECT),SA(CGROUP_INET6_CONNECT),SA(CGROUP_UNIX_CONNECT),
 SA(CGROUP_UDP4_SENDMSG),SA(CGROUP_UDP6_SENDMSG),SA(CGROUP_UNIX_SENDMSG),SA(CGROUP_UDP4_RECVMSG),SA(CGROUP_UDP6_RECVMSG),SA(CGROUP_UNIX_RECVMSG),
 SA(CGROUP_INET4_GETPEERNAME),SA(CGROUP_INET6_GETPEERNAME),SA(CGROUP_UNIX_GETPEERNAME),SA(CGROUP_INET4_GETSOCKNAME),SA(CGROUP_INET6_GETSOCKNAME),SA(CGROUP_UNIX_GETSOCKNAME),
 {"lirc_mode2",BPF_PROG_TYPE_LIRC_MODE2,BPF_LIRC_MODE2},
 {"sk_reuseport",BPF_PROG_TYPE_SK_REUSEPORT,BPF_SK_REUSEPORT_SELECT},
 {"sk_reuseport:SK_REUSEPORT_SELECT_OR_MIGRATE",BPF_PROG_TYPE_SK_REUSEPORT,BPF_SK_REUSEPORT_SELECT_OR_MIGRATE},
 {"flow_dissector",BPF_PROG_TYPE_FLOW_DISSECTOR,BPF_FLOW_DISSECTOR},
 {"cgroup_sysctl",BPF_PROG_TYPE_CGROUP_SYSCTL,BPF_CGROUP_SYSCTL},
 {"cgroup_sockopt:CGROUP_GETSOCKOPT",BPF_PROG_TYPE_CGROUP_SOCKOPT,BPF_CGROUP_GETSOCKOPT},
 {"cgroup_sockopt:CGROUP_SETSOCKOPT",BPF_PROG_TYPE_CGROUP_SOCKOPT,BPF_CGROUP_SETSOCKOPT},
 {"tracing:TRACE_RAW_TP",BPF_PROG_TYPE_TRACING,BPF_TRACE_RAW_TP,"btf_trace_sched_switch",BTF_KIND_TYPEDEF},
 {"tracing:TRACE_FENTRY",BPF_PROG_TYPE_TRACING,BPF_TRACE_FENTRY,"bpf_lsm_file_open",BTF_KIND_FUNC},
 {"tracing:TRACE_FENTRY.s",BPF_PROG_TYPE_TRACING,BPF_TRACE_FENTRY,"bpf_lsm_file_open",BTF_KIND_FUNC,1},
 {"tracing:TRACE_FEXIT",BPF_PROG_TYPE_TRACING,BPF_TRACE_FEXIT,"bpf_lsm_file_open",BTF_KIND_FUNC},
 {"tracing:TRACE_FSESSION",BPF_PROG_TYPE_TRACING,58,"bpf_lsm_file_open",BTF_KIND_FUNC},
 {"tracing:MODIFY_RETURN",BPF_PROG_TYPE_TRACING,BPF_MODIFY_RETURN,"security_file_open",BTF_KIND_FUNC},
 {"tracing:TRACE_ITER",BPF_PROG_TYPE_TRACING,BPF_TRACE_ITER,"bpf_iter_task",BTF_KIND_FUNC},
 {"tracing:TRACE_ITER.s",BPF_PROG_TYPE_TRACING,BPF_TRACE_ITER,"bpf_iter_task",BTF_KIND_FUNC,1},
 {"lsm:LSM_MAC",BPF_PROG_TYPE_LSM,BPF_LSM_MAC,"bpf_lsm_file_open",BTF_KIND_FUNC},
 {"lsm:LSM_MAC.s",BPF_PROG_TYPE_LSM,BPF_LSM_MAC,"bpf_lsm_file_open",BTF_KIND_FUNC,1},
 {"lsm:LSM_MAC@bprm_creds_for_exec",BPF_PROG_TYPE_LSM,BPF_LSM_MAC,"bpf_lsm_bprm_creds_for_exec",BTF_KIND_FUNC},
 {"lsm:LSM_CGROUP",BPF_PROG_TYPE_LSM,BPF_LSM_CGROUP,"bpf_lsm_socket_post_create",BTF_KIND_FUNC},
 {"lsm:LSM_CGROUP@sk_alloc",BPF_PROG_TYPE_LSM,BPF_LSM_CGROUP,"bpf_lsm_sk_alloc_security",BTF_KIND_FUNC},
 {"lsm:LSM_CGROUP@inet_conn_established",BPF_PROG_TYPE_LSM,BPF_LSM_CGROUP,"bpf_lsm_inet_conn_established",BTF_KIND_FUNC},
 {"sk_lookup",BPF_PROG_TYPE_SK_LOOKUP,BPF_SK_LOOKUP},
 {"syscall",BPF_PROG_TYPE_SYSCALL,-1,0,0,1},
 {"netfilter",BPF_PROG_TYPE_NETFILTER,BPF_NETFILTER},
 {"struct_ops@tcp_congestion_ops",BPF_PROG_TYPE_STRUCT_OPS,0,"tcp_congestion_ops",BTF_KIND_STRUCT},
};
static char log_buf[1<<16];
static struct btf *btf;
/* The function to call in the place of a helper. */
static int called;
/* r: 0 lacks, 1 has, 2 GPL-only, 3 not allowed here, 4 sleeps, 5 no such helper, -1 the program can't be loaded at all */
static int try(struct kind *k, int helper, const char *license, int *err)
{
	struct bpf_insn insns[] = {
		{ .code = BPF_JMP | BPF_CALL, .imm = called ? called : helper, .src_reg = called ? BPF_PSEUDO_KFUNC_CALL : 0 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = 0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, o, .log_level = 1, .log_buf = log_buf, .log_size = sizeof(log_buf));
	if (k->attach >= 0) o.expected_attach_type = k->attach;
	if (k->sleepable) o.prog_flags = BPF_F_SLEEPABLE;
	if (k->btf) {
		int id = btf ? btf__find_by_name_kind(btf, k->btf, k->btf_kind) : -1;
		if (id < 0) { *err = ENOENT; return -1; }
		o.attach_btf_id = id;
	}
	log_buf[0] = 0;
	struct bpf_insn *at = helper ? insns : insns + 1;
	int n = helper ? 3 : 2;
	if (k->type == BPF_PROG_TYPE_STRUCT_OPS) {
		const struct btf_type *t = btf__type_by_id(btf, o.attach_btf_id);
		int m = 0;
		for (int i = 0; i < btf_vlen(t); i++) if (!strcmp(btf__name_by_offset(btf, btf_members(t)[i].name_off), "ssthresh")) m = i;
		o.expected_attach_type = m;
	}
	int fd = bpf_prog_load(k->type, NULL, license, at, n, &o);
	*err = errno;
	if (fd >= 0) { close(fd); return 1; }
	if (strstr(log_buf, "unknown func") || strstr(log_buf, "cannot use helper")) return 0;
	if (strstr(log_buf, "invalid func")) return 5;
	if (strstr(log_buf, "GPL")) return 2;
	if (strstr(log_buf, "not allowed in probe")) return 3;
	if (strstr(log_buf, "might sleep") || strstr(log_buf, "sleepable")) return 4;
	if (!helper) return strstr(log_buf, "R0") ? 1 : -1;
	if (!log_buf[0]) return -1;
	return 1;
}
/* The errno of what was refused is the one that the kernel left: EPERM is no answer. */
static void probed(const char *what, int type, const char *name, int answer)
{
	if (answer == 1) printf("%s %d %s yes\n", what, type, name);
	else printf("%s %d %s no %d\n", what, type, name, errno);
}
/* libbpf asks with an attribute that kernels before 6.9 do not know. With the type of a value that is none, ENOTSUPP says that it is there. */
static int probe_struct_ops_map(void)
{
	union bpf_attr attr;
	memset(&attr, 0, sizeof(attr));
	attr.map_type = BPF_MAP_TYPE_STRUCT_OPS;
	attr.key_size = 4;
	attr.max_entries = 1;
	attr.btf_vmlinux_value_type_id = 1;
	int fd = syscall(__NR_bpf, BPF_MAP_CREATE, &attr, offsetofend(union bpf_attr, btf_vmlinux_value_type_id));
	return fd < 0 && errno == 524 ? 1 : 0;
}
/* Programs for each function of a prefix: hooks and iterators are functions that the kernel has a list of. */
static void probe_functions(const char *what, const char *prefix, int type, int attach)
{
	for (__u32 id = 1; btf && id < btf__type_cnt(btf); id++) {
		const struct btf_type *t = btf__type_by_id(btf, id);
		const char *name = btf__name_by_offset(btf, t->name_off);
		if (!btf_is_func(t) || strncmp(name, prefix, strlen(prefix))) continue;
		struct kind k = {what, type, attach, name, BTF_KIND_FUNC};
		int err;
		probed(what, id, name + strlen(prefix), try(&k, 0, "GPL", &err));
	}
}
/* For each program type, which of the functions of a file (a name a line) its programs may call. */
static void probe_kfuncs(struct kind *k, const char *path)
{
	FILE *f = fopen(path, "r");
	char name[256];
	int err;
	if (!f || try(k, 0, "GPL", &err) < 0) { if (f) fclose(f); return; }
	printf("kfuncs %s", k->name);
	while (fscanf(f, "%255s", name) == 1) {
		int id = btf__find_by_name_kind(btf, name, BTF_KIND_FUNC);
		if (id < 0) continue;
		called = id;
		try(k, -1, "GPL", &err);
		/* A question mark where the verifier did not come so far as to tell. */
		if (!strstr(log_buf, "(85) call") && !strstr(log_buf, "processed 3 insns")) printf(" %s?", name);
		else if (!strstr(log_buf, "calling kernel function")) printf(" %s", name);
	}
	called = 0;
	printf("\n");
	fclose(f);
	fflush(stdout);
}
int main(int argc, char **argv)
{
	struct utsname u; uname(&u);
	mount("none","/sys","sysfs",0,0); 
	btf = btf__load_vmlinux_btf();
	printf("release %s\n", u.release);
	for (int type = 1; libbpf_bpf_prog_type_str(type); type++)
		probed("program_type", type, libbpf_bpf_prog_type_str(type), libbpf_probe_bpf_prog_type(type, NULL));
	for (int type = 1; libbpf_bpf_map_type_str(type); type++)
		probed("map_type", type, libbpf_bpf_map_type_str(type),
		       type == BPF_MAP_TYPE_STRUCT_OPS ? probe_struct_ops_map() : libbpf_probe_bpf_map_type(type, NULL));
	probe_functions("lsm_hook", "bpf_lsm_", BPF_PROG_TYPE_LSM, BPF_LSM_MAC);
	probe_functions("iterator", "bpf_iter_", BPF_PROG_TYPE_TRACING, BPF_TRACE_ITER);
	/* Which may call them is a matter of the type. */
	for (unsigned i = 0; argc > 1 && i < sizeof(kinds)/sizeof(*kinds); i++)
		if (i == 0 || kinds[i].type != kinds[i - 1].type) probe_kfuncs(kinds + i, argv[1]);
	for (unsigned i = 0; i < sizeof(kinds)/sizeof(*kinds); i++) {
		struct kind *k = kinds + i; int err;
		int base = try(k, 0, "GPL", &err);
		/* some want another return value: their text is not empty, which is fine */
		if (base < 0) { log_buf[strcspn(log_buf,"\n")]=0, printf("kind %s -: not loaded, errno %d %s\n", k->name, err, log_buf); continue; }
		printf("kind %s", k->name);
		for (int h = 1; h <= 230; h++) {
			int r = try(k, h, "GPL", &err);
			if (r == 5) break;
			if (r == 0) continue;
			if (r < 0) { printf(" %d?e%d", h, err); continue; }
			int e2, n = try(k, h, "Proprietary", &e2);
			printf(" %d%s%s", h, r == 3 ? "n" : r == 4 ? "s" : "", n == 2 ? "g" : "");
		}
		printf("\n");
		fflush(stdout);
	}
	/* does a kind need the GPL by itself */
	for (unsigned i = 0; i < sizeof(kinds)/sizeof(*kinds); i++) {
		int err, r = try(kinds + i, 0, "Proprietary", &err);
		if (r == 2 || (r < 0 && strstr(log_buf, "GPL"))) printf("gplkind %s\n", kinds[i].name);
	}
	return 0;
}
