// Records what a process writes to the files of one folder, and when it was safe: preloaded into the broker by the
// power-cut test. Each call is carried out first, then written to the log as one record:
//   u64 start, u64 end (CLOCK_MONOTONIC, ns), u32 kind, u32 file, u64 offset, u64 length, then `length` bytes
// A sync that failed is UNSYNCED: what was written before it may never get to the disk, whatever a later sync says.
// A file is known by its inode; NAMED says what it is called from then on (offset 1: it is a folder).
// Environment: RECORD_FOLDER what is watched, RECORD_LOG where the log goes, RECORD_SYNC_DELAY_US a slower disk.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum kind { NAMED = 1, WRITTEN, TRUNCATED, SYNCED, MAPPED, UNSYNCED };
struct record { uint64_t start, end; uint32_t kind, file; uint64_t offset, length; };

enum { MAX_FDS = 1 << 16 };
static ino_t inodes[MAX_FDS];  // of the watched files; 0 = not watched
static char synchronous[MAX_FDS];  // opened with O_DSYNC: what is written is safe when the call returns
static int log_fd = -1;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static uint64_t now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void put(const void *bytes, size_t length) {
  const char *at = bytes;
  while (length > 0) {
    ssize_t done = REAL(write)(log_fd, at, length);
    if (done <= 0) abort();
    at += done;
    length -= (size_t)done;
  }
}

// A descriptor may have been closed behind our back and be something else by now: its inode tells.
static int watched(int fd) {
  struct stat s;
  return log_fd >= 0 && fd >= 0 && fd < MAX_FDS && inodes[fd] && fstat(fd, &s) == 0 && s.st_ino == inodes[fd];
}

static void note(enum kind kind, int fd, uint64_t start, uint64_t offset, const struct iovec *data, int count, size_t length) {
  struct record r = {start, now(), kind, (uint32_t)inodes[fd], offset, length};
  pthread_mutex_lock(&lock);
  put(&r, sizeof r);
  for (int i = 0; i < count && length > 0; i++) {
    size_t part = data[i].iov_len < length ? data[i].iov_len : length;
    put(data[i].iov_base, part);
    length -= part;
  }
  if (kind == WRITTEN && synchronous[fd]) {
    struct record safe = {start, r.end, SYNCED, r.file, offset, 0};
    put(&safe, sizeof safe);
  }
  pthread_mutex_unlock(&lock);
}

// ---- opening

static const char *redirect(const char *path) {
  // After a power cut the machine has booted again, and lmdb looks at that: to this process every look is another boot.
  return strcmp(path, "/proc/sys/kernel/random/boot_id") == 0 ? "/proc/sys/kernel/random/uuid" : path;
}

static void opened(int fd, const char *path, int flags, uint64_t start) {
  const char *folder = getenv("RECORD_FOLDER");
  struct stat s;
  if (log_fd < 0) log_fd = REAL(open64)(getenv("RECORD_LOG"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (fd < 0 || fd >= MAX_FDS || !folder) return;
  inodes[fd] = 0;
  if (strncmp(path, folder, strlen(folder)) != 0 || fstat(fd, &s) != 0) return;
  inodes[fd] = s.st_ino;
  synchronous[fd] = (flags & O_DSYNC) != 0;
  struct iovec name = {(void *)path, strlen(path)};
  note(NAMED, fd, start, S_ISDIR(s.st_mode) ? 1 : 0, &name, 1, name.iov_len);
  if (flags & O_TRUNC) note(TRUNCATED, fd, start, 0, NULL, 0, 0);
}

#define OPEN(name)                                    \
  int name(const char *path, int flags, ...) {        \
    va_list rest;                                     \
    va_start(rest, flags);                            \
    mode_t mode = va_arg(rest, mode_t);               \
    va_end(rest);                                     \
    uint64_t start = now();                           \
    int fd = REAL(name)(redirect(path), flags, mode); \
    opened(fd, path, flags, start);                   \
    return fd;                                        \
  }
OPEN(open)
OPEN(open64)

int rename(const char *from, const char *to) {
  uint64_t start = now();
  int result = REAL(rename)(from, to);
  int fd = result == 0 ? REAL(open)(to, O_RDONLY | O_CLOEXEC) : -1;
  if (fd >= 0) {
    opened(fd, to, O_RDONLY, start);
    close(fd);
  }
  return result;
}

// ---- writing

static ssize_t wrote(int fd, uint64_t start, uint64_t offset, const struct iovec *data, int count, ssize_t result) {
  if (result > 0 && watched(fd)) note(WRITTEN, fd, start, offset, data, count, (size_t)result);
  return result;
}

static uint64_t position(int fd) { return watched(fd) ? (uint64_t)lseek(fd, 0, SEEK_CUR) : 0; }

#define PWRITE(name, type)                                                    \
  ssize_t name(int fd, const void *bytes, size_t length, type offset) {       \
    uint64_t start = now();                                                   \
    struct iovec data = {(void *)bytes, length};                              \
    return wrote(fd, start, (uint64_t)offset, &data, 1, REAL(name)(fd, bytes, length, offset)); \
  }
PWRITE(pwrite, off_t)
PWRITE(pwrite64, off64_t)

#define PWRITEV(name, type)                                                    \
  ssize_t name(int fd, const struct iovec *data, int count, type offset) {     \
    uint64_t start = now();                                                    \
    return wrote(fd, start, (uint64_t)offset, data, count, REAL(name)(fd, data, count, offset)); \
  }
PWRITEV(pwritev, off_t)
PWRITEV(pwritev64, off64_t)

ssize_t write(int fd, const void *bytes, size_t length) {
  uint64_t start = now(), offset = position(fd);
  struct iovec data = {(void *)bytes, length};
  return wrote(fd, start, offset, &data, 1, REAL(write)(fd, bytes, length));
}

ssize_t writev(int fd, const struct iovec *data, int count) {
  uint64_t start = now(), offset = position(fd);
  return wrote(fd, start, offset, data, count, REAL(writev)(fd, data, count));
}

#define TRUNCATE(name, type)                                                                         \
  int name(int fd, type length) {                                                                    \
    uint64_t start = now();                                                                          \
    int result = REAL(name)(fd, length);                                                             \
    if (result == 0 && watched(fd)) note(TRUNCATED, fd, start, (uint64_t)length, NULL, 0, 0);        \
    return result;                                                                                   \
  }
TRUNCATE(ftruncate, off_t)
TRUNCATE(ftruncate64, off64_t)

// ---- making safe

#define SYNC(name)                                                    \
  int name(int fd) {                                                  \
    int of_ours = watched(fd);                                        \
    const char *delay = of_ours ? getenv("RECORD_SYNC_DELAY_US") : 0; \
    if (delay) usleep((useconds_t)atoi(delay));                       \
    uint64_t start = now();                                           \
    int result = REAL(name)(fd);                                      \
    int error = errno;                                                \
    if (of_ours) note(result == 0 ? SYNCED : UNSYNCED, fd, start, 0, NULL, 0, result == 0 ? UINT64_MAX : 0); \
    errno = error;                                                    \
    return result;                                                    \
  }
SYNC(fsync)
SYNC(fdatasync)

// The store writes no map. Would it, its writes could not be seen here: the test must hear of it.
int msync(void *at, size_t length, int flags) {
  pthread_mutex_lock(&lock);
  struct record r = {now(), now(), MAPPED, 0, 0, 0};
  if (log_fd >= 0) put(&r, sizeof r);
  pthread_mutex_unlock(&lock);
  return ((int (*)(void *, size_t, int))dlsym(RTLD_NEXT, "msync"))(at, length, flags);
}
