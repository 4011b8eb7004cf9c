// A bad disk: refuses writes and syncs of the files of one folder, preloaded into a broker by the test of bad disks.
// What it is to refuse stands in a file that the test writes to while the broker runs, as 32-bit numbers in the machine's order:
//   calls (1 writes, 2 syncs, 4 cuts), every (every nth of them), errno, page (from 0, of 4 KiB; below 0: whichever), refused so far,
//   KiB that the disk has free (below 0: as many as it has)
// A write is refused halfway when the errno is 0: it takes the first half of what it was given.
// Environment: REFUSE_FOLDER whose files, REFUSE_ORDERS that file.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <unistd.h>

enum { WRITES = 1, SYNCS = 2, CUTS = 4 };
enum { PAGE = 4096, SHORT = 2 };
struct orders { volatile int32_t calls, every, error, page, refused, free; };

static struct orders *orders;
static const char *folder;
static unsigned seen;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

__attribute__((constructor)) static void begin(void) {
  const char *path = getenv("REFUSE_ORDERS");
  int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
  if (fd < 0) return;
  void *at = mmap(NULL, sizeof *orders, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  close(fd);
  if (at != MAP_FAILED) orders = at;
  folder = getenv("REFUSE_FOLDER");
}

static int is_ours(int fd) {
  char link[32], path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length <= 0) return 0;
  path[length] = 0;
  return strncmp(path, folder, strlen(folder)) == 0;
}

// 0: the call is carried out. -1: it fails, with errno set. SHORT: it is carried out in part.
static int refuses(int call, int fd, int64_t offset, size_t length) {
  if (!orders || !folder || !(orders->calls & call) || !is_ours(fd)) return 0;
  int64_t start = (int64_t)orders->page * PAGE;
  if (orders->page >= 0 && call == WRITES && (offset >= start + PAGE || offset + (int64_t)length <= start)) return 0;
  pthread_mutex_lock(&lock);
  int hit = ++seen % (unsigned)orders->every == 0;
  if (hit) orders->refused++;
  pthread_mutex_unlock(&lock);
  if (!hit) return 0;
  if (orders->error == 0) return SHORT;
  errno = orders->error;
  return -1;
}

static int64_t position(int fd) { return (int64_t)lseek(fd, 0, SEEK_CUR); }

static size_t total(const struct iovec *data, int count) {
  size_t bytes = 0;
  for (int i = 0; i < count; i++) bytes += data[i].iov_len;
  return bytes;
}

#define PWRITE(name, type)                                                              \
  ssize_t name(int fd, const void *bytes, size_t length, type offset) {                 \
    int refused = refuses(WRITES, fd, (int64_t)offset, length);                         \
    if (refused < 0) return -1;                                                         \
    return REAL(name)(fd, bytes, refused == SHORT && length > 1 ? length / 2 : length, offset); \
  }
PWRITE(pwrite, off_t)
PWRITE(pwrite64, off64_t)

#define PWRITEV(name, type)                                                        \
  ssize_t name(int fd, const struct iovec *data, int count, type offset) {         \
    int refused = refuses(WRITES, fd, (int64_t)offset, total(data, count));        \
    if (refused < 0) return -1;                                                    \
    return REAL(name)(fd, data, refused == SHORT && count > 1 ? count / 2 : count, offset); \
  }
PWRITEV(pwritev, off_t)
PWRITEV(pwritev64, off64_t)

ssize_t write(int fd, const void *bytes, size_t length) {
  int refused = refuses(WRITES, fd, position(fd), length);
  if (refused < 0) return -1;
  return REAL(write)(fd, bytes, refused == SHORT && length > 1 ? length / 2 : length);
}

ssize_t writev(int fd, const struct iovec *data, int count) {
  int refused = refuses(WRITES, fd, position(fd), total(data, count));
  if (refused < 0) return -1;
  return REAL(writev)(fd, data, refused == SHORT && count > 1 ? count / 2 : count);
}

#define REFUSED(call, name, parameters, arguments, fd)           \
  int name parameters {                                          \
    if (refuses(call, fd, 0, 0) < 0) return -1;                  \
    return REAL(name) arguments;                                 \
  }
REFUSED(SYNCS, fsync, (int fd), (fd), fd)
REFUSED(SYNCS, fdatasync, (int fd), (fd), fd)
REFUSED(CUTS, ftruncate, (int fd, off_t length), (fd, length), fd)
REFUSED(CUTS, ftruncate64, (int fd, off64_t length), (fd, length), fd)

// No map of the store's is written to, so this stays unseen; would it be, the test should hear of it.
int msync(void *at, size_t length, int flags) {
  if (orders && (orders->calls & SYNCS)) {
    orders->refused++;
    errno = orders->error;
    return -1;
  }
  return REAL(msync)(at, length, flags);
}

// ---- room

#define STATFS(name, type)                                             \
  int name(const char *path, struct type *found) {                     \
    int result = REAL(name)(path, found);                              \
    int is_ours = orders && folder && strncmp(path, folder, strlen(folder)) == 0; \
    if (result == 0 && is_ours && orders->free >= 0)                   \
      found->f_bavail = (__typeof__(found->f_bavail))((int64_t)orders->free * 1024 / found->f_bsize); \
    return result;                                                     \
  }
STATFS(statfs, statfs)
STATFS(statfs64, statfs64)
