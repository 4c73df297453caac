#pragma once

#include "enhance/row_store.hpp"
#include "media/picture/picture.hpp"

namespace weir::enhance {

/// Reads a picture from a row store: the result of the first run of the network, which the second run enlarges.
/// `store` must outlive this object.
class StoredPicture final : public media::PictureReader {
 public:
  StoredPicture(RowStore& store, const media::PictureInfo& info) : store_{store}, info_{info} {}
  const media::PictureInfo& info() const override { return info_; }
  media::MetadataPtr metadata() const override { return nullptr; }
  media::MediaNeed need() const override { return {}; }
  Status read(std::span<std::byte> rows) override {
    for (; !rows.empty(); rows = rows.subspan(info_.row_bytes()), ++row_) {
      if (auto status = store_.read(row_, rows.first(info_.row_bytes())); !status) return status;
    }
    return ok();
  }
  Status rewind() override {
    row_ = 0;
    return ok();
  }

 private:
  RowStore& store_;
  media::PictureInfo info_;
  int row_ = 0;
};

}  // namespace weir::enhance
