#include "rules.h"

#include <ctype.h>
#include <errno.h>
#include <ftw.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

namespace disk_faults {
namespace {

constexpr int kRulesMax = 64;

struct Rule {
  Call call;
  Verdict verdict;
  char name[128];  // part of the path; empty: any
  int64_t after;   // so many calls are let through first
  int64_t times;   // and then so many are hurt; -1: all
};

struct Plan {
  char below[PATH_MAX];
  char record[PATH_MAX];
  int64_t capacity;
  int rules;
  Rule rule[kRulesMax];
};

pthread_mutex_t mu = PTHREAD_MUTEX_INITIALIZER;
Plan plan;
struct stat read_from;  // the control file as it was when it was read

[[noreturn]] void Bad(const char* line) {
  fprintf(stderr, "disk_faults: cannot understand `%s` in the control file\n", line);
  abort();
}

int Errno(const char* name) {
  const struct {
    const char* name;
    int value;
  } known[] = {{"EIO", EIO}, {"ENOSPC", ENOSPC}, {"EDQUOT", EDQUOT}, {"EROFS", EROFS}, {"EACCES", EACCES}};
  for (const auto& one : known) {
    if (strcmp(one.name, name) == 0) return one.value;
  }
  return 0;
}

bool ParseCall(const char* word, Call& call) {
  const char* const names[] = {"open", "write", "sync", "rename", "statvfs", "read"};
  for (int i = 0; i < 6; ++i) {
    if (strcmp(names[i], word) != 0) continue;
    call = static_cast<Call>(i);
    return true;
  }
  return false;
}

bool ParseAction(const char* action, const char* value, Verdict& verdict) {
  if (strcmp(action, "error") == 0) verdict = {Action::kError, Errno(value)};
  if (strcmp(action, "torn") == 0) verdict = {Action::kTorn, Errno(value)};
  if (strcmp(action, "delay") == 0) verdict = {Action::kDelay, atoi(value)};
  if (strcmp(action, "short") == 0) verdict = {Action::kShort, 1};
  return verdict.action != Action::kNone && verdict.value > 0;
}

// CALL ACTION VALUE [name PART] [after N] [times N]
bool ParseRule(char* line, Rule& rule) {
  char* rest = nullptr;
  const char* call = strtok_r(line, " ", &rest);
  const char* action = strtok_r(nullptr, " ", &rest);
  if (call == nullptr || action == nullptr || !ParseCall(call, rule.call)) return false;
  const char* value = strcmp(action, "short") == 0 ? "1" : strtok_r(nullptr, " ", &rest);
  if (value == nullptr || !ParseAction(action, value, rule.verdict)) return false;
  rule.name[0] = '\0';
  rule.after = 0;
  rule.times = -1;
  while (const char* key = strtok_r(nullptr, " ", &rest)) {
    const char* operand = strtok_r(nullptr, " ", &rest);
    if (operand == nullptr) return false;
    if (strcmp(key, "name") == 0) {
      snprintf(rule.name, sizeof(rule.name), "%s", operand);
    } else if (strcmp(key, "after") == 0) {
      rule.after = atoll(operand);
    } else if (strcmp(key, "times") == 0) {
      rule.times = atoll(operand);
    } else {
      return false;
    }
  }
  return true;
}

void ParseLine(char* line) {
  line[strcspn(line, "#\n")] = '\0';
  size_t length = strlen(line);
  while (length > 0 && isspace(static_cast<unsigned char>(line[length - 1]))) line[--length] = '\0';
  if (length == 0) return;
  char copy[PATH_MAX + 64];
  snprintf(copy, sizeof(copy), "%s", line);
  if (strncmp(line, "below ", 6) == 0) {
    // As the kernel names files in /proc/self/fd. Not there yet: as given.
    if (realpath(line + 6, plan.below) == nullptr) snprintf(plan.below, sizeof(plan.below), "%s", line + 6);
  } else if (strncmp(line, "record ", 7) == 0) {
    snprintf(plan.record, sizeof(plan.record), "%s", line + 7);
  } else if (strncmp(line, "space ", 6) == 0) {
    plan.capacity = atoll(line + 6);
  } else {
    if (plan.rules == kRulesMax || !ParseRule(line, plan.rule[plan.rules])) Bad(copy);
    ++plan.rules;
  }
}

// Under mu. A control file that is away for a moment leaves the plan as it is.
void Refresh() {
  const char* path = getenv("QUORATE_DISK_FAULTS");
  struct stat now;
  if (path == nullptr || stat(path, &now) != 0) return;
  if (now.st_ino == read_from.st_ino && now.st_size == read_from.st_size &&
      now.st_mtim.tv_sec == read_from.st_mtim.tv_sec && now.st_mtim.tv_nsec == read_from.st_mtim.tv_nsec) {
    return;
  }
  FILE* file = fopen(path, "re");
  if (file == nullptr) return;
  plan = Plan();
  plan.capacity = -1;
  char line[PATH_MAX + 64];
  while (fgets(line, sizeof(line), file) != nullptr) ParseLine(line);
  fclose(file);
  read_from = now;
}

class Lock {
 public:
  Lock() { pthread_mutex_lock(&mu); }
  ~Lock() { pthread_mutex_unlock(&mu); }
};

bool BelowLocked(const char* path) {
  const size_t length = strlen(plan.below);
  return length > 0 && strncmp(path, plan.below, length) == 0 && (path[length] == '/' || path[length] == '\0');
}

thread_local int64_t walked;
int AddUp(const char*, const struct stat* info, int type, struct FTW*) {
  if (type == FTW_F) walked += info->st_blocks * 512;
  return 0;
}

}  // namespace

bool IsBelow(const char* path) {
  Lock lock;
  Refresh();
  return BelowLocked(path);
}

Verdict Judge(Call call, const char* path) {
  Lock lock;
  Refresh();
  if (!BelowLocked(path)) return {};
  for (int i = 0; i < plan.rules; ++i) {
    Rule& rule = plan.rule[i];
    if (rule.call != call || strstr(path + strlen(plan.below), rule.name) == nullptr) continue;
    if (rule.after > 0) {
      --rule.after;
      continue;
    }
    if (rule.times == 0) continue;
    if (rule.times > 0) --rule.times;
    return rule.verdict;
  }
  return {};
}

int64_t Capacity() {
  Lock lock;
  Refresh();
  return plan.capacity;
}

int64_t Used() {
  char below[PATH_MAX];
  {
    Lock lock;
    memcpy(below, plan.below, sizeof(below));
  }
  walked = 0;
  nftw(below, AddUp, 16, FTW_PHYS);
  return walked;
}

void RecordDirectory(char* out, size_t size) {
  Lock lock;
  Refresh();
  snprintf(out, size, "%s", plan.record);
}

}  // namespace disk_faults
