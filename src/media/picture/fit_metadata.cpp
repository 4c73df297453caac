#include "media/picture/fit_metadata.hpp"

#include <algorithm>
#include <string>

#include <fmt/format.h>

#include "base/text.hpp"
#include "media/picture/icc_profile.hpp"
#include "media/picture/picture_format.hpp"

namespace weir::media {
namespace {

/// Returns whether a format can store one kind of metadata. list_formats_with() lists these formats for a message.
using Supports = bool (*)(const WriteSupport&);
constexpr Supports kSupportsColour = [](const WriteSupport& support) { return support.colour_info; };
constexpr Supports kSupportsTexts = [](const WriteSupport& support) { return support.texts; };
constexpr Supports kSupportsIptc = [](const WriteSupport& support) { return support.iptc; };
constexpr Supports kSupportsModifiedTime = [](const WriteSupport& support) { return support.modified_time; };

class MetadataFitter {
 public:
  MetadataFitter(const Metadata& given, const PictureInfo& stored, const WriteSupport& support, WriteReport& report)
      : fitted_{std::make_shared<Metadata>(given)},
        stored_{stored},
        support_{support},
        report_{report},
        format_name_{name_of(stored.format)} {}

  MetadataPtr run() {
    fit_profile();
    fit_colour();
    fit_texts();
    fit_rest();
    report_omissions();
    return fitted_;
  }

 private:
  void report_loss(std::string_view data_name, std::string_view reason) {
    report_.lost.push_back(fmt::format("{} ({})", data_name, reason));
  }
  // Returns the reason of a loss: the format cannot store the data. `data_name` is a noun or "it". `supports` selects
  // the formats that the text recommends.
  std::string no_place_reason(std::string_view data_name, Supports supports) const {
    return fmt::format("{} has no place for {}; use {}", format_name_, data_name, list_formats_with(supports));
  }

  // Removes a profile that does not fit the channels of the picture, such as an RGB profile for a grey picture, which would make the file invalid.
  void fit_profile() {
    if (fitted_->icc.empty() || profile_matches(fitted_->icc, stored_.colours)) return;
    fitted_->icc.clear();
    report_loss("icc", stored_.colours == 1 ? "not for grey" : "not for RGB");
  }

  // If a file has several kinds of colour information, the first of these applies: code numbers (cICP), ICC profile,
  // sRGB, gamma and primaries. Source: PNG (Third Edition), 4.3.
  void fit_colour() {
    ColourInfo& colour = fitted_->colour;
    if (colour.empty() || support_.colour_info) return;
    if (!colour.mastering_display.empty() || !colour.content_light_level.empty())
      report_loss("HDR display data", no_place_reason("it", kSupportsColour));
    const ColourInfo original = std::exchange(colour, {});
    if (!original.cicp && original.gamma <= 0 && !original.primaries && !original.srgb_intent) return;
    if (!original.cicp && !fitted_->icc.empty()) return;  // the profile is more precise
    if (is_srgb(original)) {  // kept without being written: a picture without colour information is sRGB
      report_.kept.emplace_back("colour (sRGB)");
      return;
    }
    Blob profile = make_icc_profile(original, stored_.colours == 1);
    if (profile.empty()) return report_loss("colour", no_place_reason(describe_colour(original), kSupportsColour));
    fitted_->icc = std::move(profile);
    report_.kept.push_back(fmt::format("colour ({}, as an icc profile)", describe_colour(original)));
  }

  void fit_texts() {
    const bool has_comments = support_.max_comment_bytes > 0;
    const auto can_store = [&](const TextEntry& text) {
      return support_.texts ||
             (has_comments && text.key == kCommentKey && text.value.size() <= support_.max_comment_bytes);
    };
    // Recorded as omissions, whose number is limited: a file may have very many texts.
    for (const TextEntry& text : fitted_->texts)
      if (!can_store(text)) record_omission(*fitted_, "text " + text.key, text_loss_reason());
    std::erase_if(fitted_->texts, [&](const TextEntry& text) { return !can_store(text); });
  }

  std::string text_loss_reason() const {
    if (support_.max_comment_bytes == 0) return no_place_reason("it", kSupportsTexts);
    return fmt::format("{} holds only comments of at most {} KiB; use {}", format_name_,
                       (support_.max_comment_bytes + 1023) >> 10, list_formats_with(kSupportsTexts));
  }

  // Removes IPTC and the time of change if the format cannot store them.
  void fit_rest() {
    if (!fitted_->iptc.empty() && !support_.iptc) {
      fitted_->iptc.clear();
      report_loss("iptc", no_place_reason("it", kSupportsIptc));
    }
    if (fitted_->modified_time && !support_.modified_time) {
      fitted_->modified_time.reset();
      report_loss("time of change", no_place_reason("it", kSupportsModifiedTime));
    }
  }

  // Moves the omissions that the decoder and fit_texts() recorded into the report.
  void report_omissions() {
    auto& lost = report_.lost;
    lost.insert(lost.end(), fitted_->omissions.begin(), fitted_->omissions.end());
    if (fitted_->unlisted_omissions > 0)
      lost.push_back(fmt::format("and {} more (not named)", fitted_->unlisted_omissions));
    fitted_->omissions.clear();
    fitted_->unlisted_omissions = 0;
  }

  std::shared_ptr<Metadata> fitted_;  // copy of the given metadata; becomes the result
  const PictureInfo& stored_;         // format of the picture in the output
  const WriteSupport& support_;       // what the output format can store
  WriteReport& report_;
  std::string format_name_;
};

}  // namespace

MetadataPtr fit_metadata(const MetadataPtr& given, const PictureInfo& stored, WriteReport& report) {
  if (given == nullptr) return std::make_shared<Metadata>();
  return MetadataFitter{*given, stored, *find_format(stored.format).write_support, report}.run();
}

}  // namespace weir::media
