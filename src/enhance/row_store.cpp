#include "enhance/row_store.hpp"

#include <cstring>
#include <utility>

namespace weir::enhance {

Result<RowStore> RowStore::create(int rows, std::size_t row_bytes, const std::filesystem::path& folder) {
  RowStore store{row_bytes};
  if (folder.empty()) {
    auto memory = AnonymousMapping::create(Bytes{row_bytes} * static_cast<std::uint64_t>(rows));
    if (!memory) return memory.error();
    store.memory_ = *std::move(memory);
    return store;
  }
  auto file = ScratchFile::create(folder);
  if (!file) return file.error();
  store.file_.emplace(*std::move(file));
  return store;
}

Status RowStore::write(int row, std::span<const std::byte> bytes, std::size_t at) {
  const std::uint64_t offset = static_cast<std::uint64_t>(row) * row_bytes_ + at;
  if (file_) return file_->write_at(offset, bytes);
  std::memcpy(memory_.data() + offset, bytes.data(), bytes.size());
  return ok();
}

Status RowStore::read(int row, std::span<std::byte> bytes, std::size_t at) {
  const std::uint64_t offset = static_cast<std::uint64_t>(row) * row_bytes_ + at;
  if (file_) return file_->read_at(offset, bytes);
  std::memcpy(bytes.data(), memory_.data() + offset, bytes.size());
  return ok();
}

}  // namespace weir::enhance
