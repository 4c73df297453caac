#pragma once

#include <string>

#include "base/result.hpp"
#include "media/picture/metadata.hpp"

namespace weir::media {

/// Adds tags to a finished TIFF file of one page, because libvips 8.14 does not write them: the tags of metadata.exif,
/// and the records in metadata.iptc. Does not add tags whose values read_tiff_tree() does not read (is_unread()).
/// Appends a new directory (list of tags) with the old and the new tags, and changes the
/// header to point to it. Tags that the file already has are not changed; the orientation is not added.
/// fd     descriptor of the file; readable and writable at any offset
/// name   name of the file in messages
/// Errors: io; disk_full; unsupported (BigTIFF, or the file would exceed 4 GiB). After the error unsupported the file
/// is unchanged.
Status add_tiff_tags(int fd, const Metadata& metadata, const std::string& name);

}  // namespace weir::media
