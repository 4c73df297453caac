#include "media/picture/carriable.hpp"

#include <algorithm>
#include <string>

#include <fmt/format.h>

#include "base/text.hpp"
#include "media/picture/colour_profile.hpp"
#include "media/picture/picture_format.hpp"

namespace weir::media {
namespace {

using Holds = bool (*)(const FormatWriting&);
constexpr Holds kHoldsColour = [](const FormatWriting& writing) { return writing.colour; };
constexpr Holds kHoldsTexts = [](const FormatWriting& writing) { return writing.texts; };
constexpr Holds kHoldsIptc = [](const FormatWriting& writing) { return writing.iptc; };
constexpr Holds kHoldsTime = [](const FormatWriting& writing) { return writing.time_of_change; };

class Fitting {
 public:
  Fitting(const Metadata& given, const PictureInfo& stored, const FormatWriting& format, WriteReport& report)
      : made_{std::make_shared<Metadata>(given)},
        stored_{stored},
        format_{format},
        report_{report},
        name_{name_of(stored.format)} {}

  MetadataPtr run() {
    fit_profile();
    fit_colour();
    fit_texts();
    fit_rest();
    tell_left_out();
    return made_;
  }

 private:
  void lose(std::string_view what, std::string_view why) { report_.lost.push_back(fmt::format("{} ({})", what, why)); }
  std::string no_place(std::string_view for_what, Holds others) const {
    return fmt::format("{} has no place for {}; use {}", name_, for_what, written_with(others));
  }

  // A profile for other samples (CMYK in a file that says RGB, RGB in a grey one) would make the file invalid.
  void fit_profile() {
    if (made_->icc.empty() || profile_fits(made_->icc, stored_.colours)) return;
    made_->icc.clear();
    lose("icc", stored_.colours == 1 ? "not for grey" : "not for RGB");
  }

  // Source of the order: PNG (Third Edition), 4.3: cICP, then the ICC profile, then sRGB, then gamma and primaries.
  void fit_colour() {
    Colour& colour = made_->colour;
    if (colour.empty() || format_.colour) return;
    if (!colour.mastering.empty() || !colour.light_level.empty())
      lose("HDR display data", no_place("it", kHoldsColour));
    const Colour told = std::exchange(colour, {});
    if (!told.cicp && told.gamma <= 0 && !told.primaries && !told.srgb_intent) return;
    if (!told.cicp && !made_->icc.empty()) return;  // the profile says it better
    if (is_srgb(told)) {
      report_.kept.emplace_back("colour (sRGB)");
      return;
    }
    Blob profile = profile_of(told, stored_.colours == 1);
    if (profile.empty()) return lose("colour", no_place(describe(told), kHoldsColour));
    made_->icc = std::move(profile);
    report_.kept.push_back(fmt::format("colour ({}, as an icc profile)", describe(told)));
  }

  void fit_texts() {
    const bool comments = format_.comment_bytes > 0;
    const auto holds = [&](const Text& text) {
      return format_.texts || (comments && text.key == kCommentKey && text.value.size() <= format_.comment_bytes);
    };
    for (const Text& text : made_->texts)
      if (!holds(text)) leave_out(*made_, "text " + text.key, why_no_text());
    std::erase_if(made_->texts, [&](const Text& text) { return !holds(text); });
  }

  std::string why_no_text() const {
    if (format_.comment_bytes == 0) return no_place("it", kHoldsTexts);
    return fmt::format("{} holds comments of at most {} KiB alone; use {}", name_, (format_.comment_bytes + 1023) >> 10,
                       written_with(kHoldsTexts));
  }

  void fit_rest() {
    if (!made_->iptc.empty() && !format_.iptc) {
      made_->iptc.clear();
      lose("iptc", no_place("it", kHoldsIptc));
    }
    if (made_->changed && !format_.time_of_change) {
      made_->changed.reset();
      lose("time of change", no_place("it", kHoldsTime));
    }
  }

  void tell_left_out() {
    auto& lost = report_.lost;
    lost.insert(lost.end(), made_->left_out.begin(), made_->left_out.end());
    if (made_->more_left_out > 0) lost.push_back(fmt::format("and {} more (not named)", made_->more_left_out));
    made_->left_out.clear();
    made_->more_left_out = 0;
  }

  std::shared_ptr<Metadata> made_;
  const PictureInfo& stored_;
  const FormatWriting& format_;
  WriteReport& report_;
  std::string name_;
};

}  // namespace

MetadataPtr carriable(const MetadataPtr& given, const PictureInfo& stored, WriteReport& report) {
  if (given == nullptr) return std::make_shared<Metadata>();
  return Fitting{*given, stored, *traits_of(stored.format).writing, report}.run();
}

}  // namespace weir::media
