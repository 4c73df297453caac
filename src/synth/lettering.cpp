#include "synth/lettering.hpp"

#include <array>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <ft2build.h>
#include FT_FREETYPE_H

#include "base/shared_library.hpp"

namespace weir::synth {

namespace {

constexpr std::array kFonts{
    "/usr/share/fonts/truetype/dejavu/DejaVuSans-Bold.ttf",     "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf",
    "/usr/share/fonts/truetype/dejavu/DejaVuSansMono.ttf",      "/usr/share/fonts/truetype/dejavu/DejaVuSerif.ttf",
    "/usr/share/fonts/truetype/vlgothic/VL-Gothic-Regular.ttf",
};

/// The functions of FreeType, loaded at run time, because only training needs them.
struct FreeType {
  decltype(&::FT_Init_FreeType) init = nullptr;
  decltype(&::FT_Done_FreeType) done = nullptr;
  decltype(&::FT_New_Face) new_face = nullptr;
  decltype(&::FT_Done_Face) done_face = nullptr;
  decltype(&::FT_Set_Char_Size) set_size = nullptr;
  decltype(&::FT_Get_Char_Index) index = nullptr;
  decltype(&::FT_Load_Char) load = nullptr;
  bool is_complete = false;
};

FreeType load_freetype() {
  FreeType functions;
  const auto library = SharedLibrary::open("libfreetype.so.6", SharedLibrary::Binding::lazy);
  if (!library) return functions;
  functions.is_complete =
      library->find("FT_Init_FreeType", functions.init) && library->find("FT_Done_FreeType", functions.done) &&
      library->find("FT_New_Face", functions.new_face) && library->find("FT_Done_Face", functions.done_face) &&
      library->find("FT_Set_Char_Size", functions.set_size) && library->find("FT_Get_Char_Index", functions.index) &&
      library->find("FT_Load_Char", functions.load);
  return functions;
}

const FreeType& freetype() {
  static const FreeType functions = load_freetype();
  return functions;
}

struct DeleteLibrary {
  void operator()(FT_Library library) const noexcept { freetype().done(library); }
};
struct DeleteFace {
  void operator()(FT_Face face) const noexcept { freetype().done_face(face); }
};
using Library = std::unique_ptr<FT_LibraryRec_, DeleteLibrary>;
using Face = std::unique_ptr<FT_FaceRec_, DeleteFace>;

struct Font {
  Face face;
  bool is_japanese = false;  // true: text in Japanese letters, without spaces; false: in Latin letters
};

class FreeTypeLettering final : public Lettering {
 public:
  FreeTypeLettering(Library library, std::vector<Font> fonts)
      : library_{std::move(library)}, fonts_{std::move(fonts)} {}

  void draw_text(Canvas& canvas, const Box& box, float size, const Colour& ink, Random& random) override {
    Font& font = fonts_[static_cast<std::size_t>(random.uniform_int(0, static_cast<int>(fonts_.size()) - 1))];
    FT_Face face = font.face.get();
    // The size is in 1/64 points; at 72 dpi a point is a pixel.
    if (freetype().set_size(face, 0, static_cast<FT_F26Dot6>(size * 64), 72, 72) != 0) return;
    const bool capitals = random.chance(0.5F);
    const int line_height = static_cast<int>(size * 1.2F) + 1;
    for (int baseline = box.top + static_cast<int>(size); baseline + static_cast<int>(0.3F * size) <= box.bottom;
         baseline += line_height) {
      float pen = static_cast<float>(box.left);  // column at which the next letter starts
      int letters_until_space = random.uniform_int(2, 9);
      for (int tries = 0; tries < kMaxTries && pen < static_cast<float>(box.right); ++tries) {
        if (letters_until_space-- == 0 && !font.is_japanese) {
          pen += size * 0.35F;
          letters_until_space = random.uniform_int(2, 9);
          continue;
        }
        const FT_ULong letter =
            font.is_japanese ? random_japanese_letter(random) : random_latin_letter(random, capitals);
        if (freetype().index(face, letter) == 0) continue;  // the font has no such letter
        if (freetype().load(face, letter, FT_LOAD_RENDER | FT_LOAD_NO_HINTING) != 0) break;
        FT_GlyphSlot slot = face->glyph;
        const float advance = static_cast<float>(slot->advance.x) / 64;  // from 1/64 pixels
        if (pen + advance > static_cast<float>(box.right)) break;
        draw_glyph(canvas, box, slot, static_cast<int>(pen), baseline, ink);
        pen += advance;
      }
    }
  }

 private:
  static constexpr int kMaxTries = 10'000;  // letters per line, including those that the font lacks

  /// Returns a letter or, rarely, a punctuation mark.
  static FT_ULong random_latin_letter(Random& random, bool capitals) {
    // The frequencies are about those of English text.
    constexpr std::string_view kLetters = "eeeeeetttttaaaaaooooiiiinnnnsssshhhrrrrddlllcccuummwwffggyyppbbvk";
    if (random.chance(0.03F)) return static_cast<FT_ULong>("!?.,"[random.uniform_int(0, 3)]);
    const char letter =
        kLetters[static_cast<std::size_t>(random.uniform_int(0, static_cast<int>(kLetters.size()) - 1))];
    return static_cast<FT_ULong>(capitals ? letter - 'a' + 'A' : letter);
  }
  /// Returns kana (hiragana or katakana) in two thirds of the cases, else a Chinese character from U+4E00 to U+6FFF.
  static FT_ULong random_japanese_letter(Random& random) {
    if (random.chance(0.45F)) return static_cast<FT_ULong>(random.uniform_int(0x3042, 0x3093));
    if (random.chance(0.4F)) return static_cast<FT_ULong>(random.uniform_int(0x30a2, 0x30f3));
    return static_cast<FT_ULong>(random.uniform_int(0x4e00, 0x6fff));
  }

  /// Draws the loaded glyph with its origin at (left, baseline), within `clip`.
  static void draw_glyph(Canvas& canvas, const Box& clip, FT_GlyphSlot slot, int left, int baseline,
                         const Colour& ink) {
    const FT_Bitmap& bitmap = slot->bitmap;
    const Box box = Box{left + slot->bitmap_left, baseline - slot->bitmap_top,
                        left + slot->bitmap_left + static_cast<int>(bitmap.width),
                        baseline - slot->bitmap_top + static_cast<int>(bitmap.rows)};
    const Box visible = box.intersect(clip).intersect(bounds_of(canvas));
    for (int y = visible.top; y < visible.bottom; ++y) {
      const unsigned char* row = bitmap.buffer + static_cast<std::ptrdiff_t>(y - box.top) * bitmap.pitch;
      for (int x = visible.left; x < visible.right; ++x) {
        Colour& pixel = canvas.at(x, y);
        pixel = mix(pixel, ink, static_cast<float>(row[x - box.left]) / 255.0F);
      }
    }
  }

  Library library_;  // declared before the fonts, so that it is destroyed last
  std::vector<Font> fonts_;
};

}  // namespace

Result<std::unique_ptr<Lettering>> Lettering::open() {
  if (!freetype().is_complete) return Error{Errc::unsupported, "FreeType is missing: apt-get install libfreetype6"};
  FT_Library raw = nullptr;
  if (freetype().init(&raw) != 0) return Error{Errc::unsupported, "FreeType cannot be initialized"};
  Library library{raw};
  std::vector<Font> fonts;
  for (const char* path : kFonts) {
    FT_Face face = nullptr;
    if (freetype().new_face(raw, path, 0, &face) != 0)
      return Error{Errc::unsupported,
                   fmt::format("{} is missing: apt-get install fonts-dejavu-core fonts-vlgothic", path)};
    fonts.push_back({Face{face}, std::string_view{path}.find("vlgothic") != std::string_view::npos});
  }
  return std::unique_ptr<Lettering>{new FreeTypeLettering{std::move(library), std::move(fonts)}};
}

}  // namespace weir::synth
