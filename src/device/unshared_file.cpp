#include "device/unshared_file.hpp"

#include <mutex>
#include <utility>

#include "device/lease_folder.hpp"

namespace weir::device {

/// All that live in this process.
struct UnsharedFiles {
  std::mutex mutex;
  UnsharedFile* first = nullptr;

  /// Never destroyed: files may outlive every static object.
  static UnsharedFiles& all() {
    static auto* files = new UnsharedFiles;
    return *files;
  }

  void add(UnsharedFile& file) {
    file.next_ = first;
    file.previous_ = nullptr;
    if (first != nullptr) first->previous_ = &file;
    first = &file;
  }

  void remove(UnsharedFile& file) {
    (file.previous_ != nullptr ? file.previous_->next_ : first) = file.next_;
    if (file.next_ != nullptr) file.next_->previous_ = file.previous_;
  }

  void close_all() {
    for (UnsharedFile* file = first; file != nullptr; file = file->next_) file->file_ = FileDescriptor{};
  }
};

UnsharedFile::UnsharedFile() {
  UnsharedFiles& all = UnsharedFiles::all();
  const std::lock_guard lock{all.mutex};
  all.add(*this);
}

Result<UnsharedFile> UnsharedFile::open(const std::filesystem::path& path, LockFileUse use) {
  UnsharedFile opened;
  {
    const std::lock_guard lock{UnsharedFiles::all().mutex};
    auto file = open_lock_file(path, use);
    if (!file) return file.error();
    opened.file_ = *std::move(file);
  }
  return opened;
}

UnsharedFile::UnsharedFile(UnsharedFile&& other) noexcept {
  UnsharedFiles& all = UnsharedFiles::all();
  const std::lock_guard lock{all.mutex};
  file_ = std::move(other.file_);
  all.add(*this);
}

UnsharedFile& UnsharedFile::operator=(UnsharedFile&& other) noexcept {
  const std::lock_guard lock{UnsharedFiles::all().mutex};
  file_ = std::move(other.file_);
  return *this;
}

UnsharedFile::~UnsharedFile() {
  UnsharedFiles& all = UnsharedFiles::all();
  const std::lock_guard lock{all.mutex};
  all.remove(*this);
  file_ = FileDescriptor{};
}

void before_fork() { UnsharedFiles::all().mutex.lock(); }

void after_fork_in_parent() { UnsharedFiles::all().mutex.unlock(); }

void after_fork_in_child() {
  UnsharedFiles& all = UnsharedFiles::all();
  all.close_all();
  all.mutex.unlock();
}

}  // namespace weir::device
