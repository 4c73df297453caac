#include "media/picture/carriable.hpp"

#include <algorithm>
#include <string>

#include <fmt/format.h>

#include "base/text.hpp"
#include "media/picture/colour_profile.hpp"

namespace weir::media {
namespace {

class Fitting {
 public:
  Fitting(const Metadata& given, const PictureInfo& stored, WriteReport& report)
      : made_{std::make_shared<Metadata>(given)}, stored_{stored}, report_{report}, name_{name_of(stored.format)} {}

  MetadataPtr run() {
    fit_profile();
    fit_colour();
    fit_texts();
    fit_rest();
    tell_left_out();
    return made_;
  }

 private:
  bool is(Format format) const { return stored_.format == format; }
  void lose(std::string_view what, std::string_view why) { report_.lost.push_back(fmt::format("{} ({})", what, why)); }

  // A profile for other samples (CMYK in a file that says RGB, RGB in a grey one) would make the file invalid.
  void fit_profile() {
    if (made_->icc.empty() || profile_fits(made_->icc, stored_.colours)) return;
    made_->icc.clear();
    lose("icc", stored_.colours == 1 ? "not for grey" : "not for RGB");
  }

  // Source of the order: PNG (Third Edition), 4.3: cICP, then the ICC profile, then sRGB, then gamma and primaries.
  void fit_colour() {
    Colour& colour = made_->colour;
    if (colour.empty() || is(Format::png)) return;
    if (!colour.mastering.empty() || !colour.light_level.empty())
      lose("HDR display data", name_ + " has no place for it; use png");
    const Colour told = std::exchange(colour, {});
    if (!told.cicp && told.gamma <= 0 && !told.primaries && !told.srgb_intent) return;
    if (!told.cicp && !made_->icc.empty()) return;  // the profile says it better
    if (is_srgb(told)) {
      report_.kept.emplace_back("colour (sRGB)");
      return;
    }
    Blob profile = profile_of(told, stored_.colours == 1);
    if (profile.empty()) return lose("colour", fmt::format("{} has no place for {}; use png", name_, describe(told)));
    made_->icc = std::move(profile);
    report_.kept.push_back(fmt::format("colour ({}, as an icc profile)", describe(told)));
  }

  void fit_texts() {
    const auto holds = [&](const Text& text) {
      return is(Format::png) || (is(Format::jpg) && text.key == kCommentKey && text.value.size() <= kMostCommentBytes);
    };
    for (const Text& text : made_->texts) {
      if (!holds(text))
        leave_out(*made_, "text " + text.key,
                  is(Format::jpg) ? "jpg holds comments of at most 64 KiB alone; use png"
                                  : name_ + " has no place for it; use png");
    }
    std::erase_if(made_->texts, [&](const Text& text) { return !holds(text); });
  }

  void fit_rest() {
    if (!made_->iptc.empty() && !is(Format::jpg) && !is(Format::tiff)) {
      made_->iptc.clear();
      lose("iptc", name_ + " has no place for it; use jpg or tiff");
    }
    if (made_->changed && !is(Format::png)) {
      made_->changed.reset();
      lose("time of change", name_ + " has no place for it; use png");
    }
  }

  void tell_left_out() {
    auto& lost = report_.lost;
    lost.insert(lost.end(), made_->left_out.begin(), made_->left_out.end());
    if (made_->more_left_out > 0) lost.push_back(fmt::format("and {} more (not named)", made_->more_left_out));
    made_->left_out.clear();
    made_->more_left_out = 0;
  }

  static constexpr std::size_t kMostCommentBytes = 65533;  // of a JPEG segment
  std::shared_ptr<Metadata> made_;
  const PictureInfo& stored_;
  WriteReport& report_;
  std::string name_;
};

}  // namespace

MetadataPtr carriable(const MetadataPtr& given, const PictureInfo& stored, WriteReport& report) {
  if (given == nullptr) return std::make_shared<Metadata>();
  return Fitting{*given, stored, report}.run();
}

}  // namespace weir::media
