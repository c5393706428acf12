// What the guest says goes into memory that it shares with the host: qemu's ivshmem-plain device is a file of the host as the BAR 2 of a PCI
// device, and sysfs maps a BAR without a driver. So no module is loaded, which would change the answers, and nothing is as slow as a serial line.
// s390x can't map one: there it goes through a terminal of its own, section by section.
#include "guest.h"

#include <dirent.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

/** What stands in front of each section. The host reads sections until a name is empty (guest.ts). */
struct header {
  char name[56];
  uint64_t size; // little-endian
};

static char *memory, *at, *end;
static struct header *current;

static void use(char *bytes, size_t size) {
  at = memory = bytes;
  end = memory + size - sizeof(struct header);
}

#ifdef __s390x__
static int terminal;
static char *sent;

void out_open(void) {
  terminal = open("/dev/ttysclp0", O_RDWR | O_NOCTTY);
  struct termios mode;
  if (terminal < 0 || tcgetattr(terminal, &mode) < 0) fail("/dev/ttysclp0: can't be opened: %s", strerror(errno));
  cfmakeraw(&mode);
  tcsetattr(terminal, TCSANOW, &mode);
  size_t size = 128 << 20;
  use(calloc(size, 1), size);
  sent = memory;
}

static void send_what_is_whole(void) {
  while (sent < at) {
    ssize_t count = write(terminal, sent, at - sent);
    if (count < 0) fail("/dev/ttysclp0: %s", strerror(errno));
    sent += count;
  }
  tcdrain(terminal);
}
#else
static void send_what_is_whole(void) {}

static int has_id(const char *device, const char *file, const char *wanted) {
  char path[512], text[16] = "";
  snprintf(path, sizeof path, "/sys/bus/pci/devices/%s/%s", device, file);
  int fd = open(path, O_RDONLY);
  if (fd < 0) return 0;
  ssize_t got = read(fd, text, sizeof text - 1);
  close(fd);
  return got > 0 && strncmp(text, wanted, strlen(wanted)) == 0;
}

void out_open(void) {
  DIR *devices = opendir("/sys/bus/pci/devices");
  if (!devices) fail("no PCI devices");
  for (struct dirent *entry; (entry = readdir(devices));) {
    if (!has_id(entry->d_name, "vendor", "0x1af4") || !has_id(entry->d_name, "device", "0x1110")) continue;
    char path[512];
    snprintf(path, sizeof path, "/sys/bus/pci/devices/%s/enable", entry->d_name);
    int fd = open(path, O_WRONLY);
    if (fd < 0 || write(fd, "1", 1) != 1) fail("%s: can't be enabled", path);
    close(fd);
    // Write-combining is ordinary memory to arm64; the plain resource, the only one of some machines, is device memory, which arm64 refuses
    // unaligned access to.
    snprintf(path, sizeof path, "/sys/bus/pci/devices/%s/resource2_wc", entry->d_name);
    fd = open(path, O_RDWR);
    if (fd < 0) {
      *strrchr(path, '_') = 0;
      fd = open(path, O_RDWR);
    }
    struct stat status;
    if (fd < 0 || fstat(fd, &status) < 0) fail("%s: can't be opened", path);
    char *bytes = mmap(NULL, status.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (bytes == MAP_FAILED) fail("%s: can't be mapped: %s", path, strerror(errno));
    close(fd);
    use(bytes, status.st_size);
    closedir(devices);
    return;
  }
  fail("qemu gives no ivshmem device");
}
#endif

void section(const char *name) {
  at = memory + ((at - memory + 7) & ~7);
  send_what_is_whole();
  if (end - at < (ptrdiff_t)sizeof *current) fail("the shared memory is full");
  current = (struct header *)at;
  at += sizeof *current;
  snprintf(current->name, sizeof current->name, "%s", name);
}

void out_bytes(const void *bytes, size_t count) {
  if ((size_t)(end - at) < count) fail("the shared memory is full");
  memcpy(at, bytes, count);
  at += count;
  current->size = htole64(le64toh(current->size) + count);
}

void out(const char *format, ...) {
  char text[4096];
  va_list arguments;
  va_start(arguments, format);
  int size = vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  out_bytes(text, size < (int)sizeof text ? size : (int)sizeof text - 1);
}

void out_sample(unsigned sample) {
  if (sample > 1) out("\tone in %u", sample);
  out("\n");
}

void out_file(const char *name, const char *path) {
  section(name);
  int fd = open(path, O_RDONLY);
  if (fd < 0) fail("%s: can't be opened", path);
  char bytes[65536];
  for (ssize_t got; (got = read(fd, bytes, sizeof bytes)) > 0;) out_bytes(bytes, got);
  close(fd);
}
