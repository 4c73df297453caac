#include "jobs/json.hpp"

#include <charconv>

#include <fmt/format.h>

#include "base/text.hpp"

namespace weir::jobs {
namespace {

constexpr int kMaxDepth = 16;  // levels of nested objects and arrays that are kept

/// Returns the value of the field if it exists and `is_type` returns true for it; else an empty value.
template <class T>
T field(const Json& object, const char* key, bool (Json::*is_type)() const noexcept) {
  const auto found = object.is_object() ? object.find(key) : object.end();
  return found != object.end() && ((*found).*is_type)() ? found->get<T>() : T{};
}

}  // namespace

Result<Json> parse_object(std::string_view text) {
  // A value for which this callback returns false is left out.
  const auto is_shallow = [](int depth, Json::parse_event_t, Json&) { return depth <= kMaxDepth; };
  // `false`: the parser throws no exceptions
  Json json = Json::parse(text, is_shallow, false);
  if (!json.is_object()) return Error{Errc::corrupt, "no JSON object"};
  return json;
}

std::string dump(const Json& json) {
  constexpr int kCompact = -1;  // no line breaks and no indentation
  constexpr bool kAsciiOnly = false;
  return json.dump(kCompact, ' ', kAsciiOnly, Json::error_handler_t::replace);
}

std::string text_field(const Json& object, const char* key) {
  return field<std::string>(object, key, &Json::is_string);
}
double number_field(const Json& object, const char* key) { return field<double>(object, key, &Json::is_number); }
std::uint64_t count_field(const Json& object, const char* key) {
  return field<std::uint64_t>(object, key, &Json::is_number_unsigned);
}
bool bool_field(const Json& object, const char* key) { return field<bool>(object, key, &Json::is_boolean); }
Bytes bytes_field(const Json& object, const char* key) { return Bytes{count_field(object, key)}; }
int descriptor_field(const Json& object, const char* key) {
  const auto found = object.is_object() ? object.find(key) : object.end();
  return found != object.end() && found->is_number_integer() ? found->get<int>() : -1;
}
Json object_field(const Json& object, const char* key) {
  const auto found = object.is_object() ? object.find(key) : object.end();
  return found != object.end() && found->is_object() ? *found : Json::object();
}

std::string encode_path(const std::filesystem::path& path) {
  std::string out;
  for (std::string_view rest = path.native(); !rest.empty();) {
    // The length of the next character, which is copied as it is; 0: the next byte is written as %XX.
    const std::size_t length = rest.front() == '%' ? 0 : printable_char_length(rest);
    if (length == 0) out += fmt::format("%{:02X}", static_cast<unsigned char>(rest.front()));
    out += rest.substr(0, length);
    rest.remove_prefix(length == 0 ? 1 : length);
  }
  return out;
}

std::filesystem::path decode_path(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    unsigned value = 0;
    const char* const digits = text.data() + 1;
    if (text.size() > 2 && text.front() == '%' && std::from_chars(digits, digits + 2, value, 16).ptr == digits + 2) {
      out += static_cast<char>(value);
      text.remove_prefix(3);
    } else {
      out += text.front();
      text.remove_prefix(1);
    }
  }
  return out;
}

std::vector<std::string> encoded_texts_field(const Json& object, const char* key) {
  std::vector<std::string> texts;
  const auto found = object.is_object() ? object.find(key) : object.end();
  if (found == object.end() || !found->is_array()) return texts;
  for (const Json& text : *found)
    if (text.is_string()) texts.push_back(decode_path(text.get<std::string>()).native());
  return texts;
}

Json to_json(const Error& error) { return {{"code", name_of(error.code)}, {"what", error.what}}; }

Error error_from_json(const Json& json) {
  return {errc_named(text_field(json, "code")).value_or(Errc::unsupported), text_field(json, "what")};
}

}  // namespace weir::jobs
