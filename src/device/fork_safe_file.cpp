#include "device/fork_safe_file.hpp"

#include <mutex>
#include <utility>

#include "device/lease_folder.hpp"

namespace weir::device {

/// All living ForkSafeFile objects of this process, as a doubly linked list: add() and remove() allocate nothing. Lock
/// `mutex` before a call of add(), remove() or close_all().
struct ForkSafeFiles {
  std::mutex mutex;
  ForkSafeFile* first = nullptr;

  /// Never destroyed: files may outlive every static object.
  static ForkSafeFiles& all() {
    static auto* files = new ForkSafeFiles;
    return *files;
  }

  void add(ForkSafeFile& file) {
    file.next_ = first;
    file.previous_ = nullptr;
    if (first != nullptr) first->previous_ = &file;
    first = &file;
  }

  void remove(ForkSafeFile& file) {
    (file.previous_ != nullptr ? file.previous_->next_ : first) = file.next_;
    if (file.next_ != nullptr) file.next_->previous_ = file.previous_;
  }

  void close_all() {
    for (ForkSafeFile* file = first; file != nullptr; file = file->next_) file->file_ = FileDescriptor{};
  }
};

ForkSafeFile::ForkSafeFile() {
  ForkSafeFiles& all = ForkSafeFiles::all();
  const std::lock_guard lock{all.mutex};
  all.add(*this);
}

Result<ForkSafeFile> ForkSafeFile::open(const std::filesystem::path& path, LockFileUse use) {
  ForkSafeFile opened;
  {
    const std::lock_guard lock{ForkSafeFiles::all().mutex};
    auto file = open_lock_file(path, use);
    if (!file) return file.error();
    opened.file_ = *std::move(file);
  }
  return opened;
}

ForkSafeFile::ForkSafeFile(ForkSafeFile&& other) noexcept {
  ForkSafeFiles& all = ForkSafeFiles::all();
  const std::lock_guard lock{all.mutex};
  file_ = std::move(other.file_);
  all.add(*this);
}

ForkSafeFile& ForkSafeFile::operator=(ForkSafeFile&& other) noexcept {
  const std::lock_guard lock{ForkSafeFiles::all().mutex};
  file_ = std::move(other.file_);
  return *this;
}

ForkSafeFile::~ForkSafeFile() {
  ForkSafeFiles& all = ForkSafeFiles::all();
  const std::lock_guard lock{all.mutex};
  all.remove(*this);
  file_ = FileDescriptor{};
}

void before_fork() { ForkSafeFiles::all().mutex.lock(); }

void after_fork_in_parent() { ForkSafeFiles::all().mutex.unlock(); }

void after_fork_in_child() {
  ForkSafeFiles& all = ForkSafeFiles::all();
  all.close_all();
  all.mutex.unlock();
}

}  // namespace weir::device
