#include "device/pci_address.hpp"

#include <charconv>

#include <fmt/format.h>

namespace weir::device {
namespace {

/// Removes a hexadecimal number and the character `end` after it (0: the number ends the text) from the front of the
/// text, and returns the number. Returns nothing if there is no such number, or it is above `max_value`.
std::optional<std::uint32_t> take_hex(std::string_view& text, char end, std::uint32_t max_value) {
  const std::size_t length = end == 0 ? text.size() : text.find(end);
  if (length == std::string_view::npos || length == 0) return std::nullopt;
  std::uint32_t value = 0;
  const auto [rest, problem] = std::from_chars(text.data(), text.data() + length, value, 16);
  if (problem != std::errc{} || rest != text.data() + length || value > max_value) return std::nullopt;
  text.remove_prefix(end == 0 ? length : length + 1);
  return value;
}

}  // namespace

std::string to_text(const PciAddress& address) {
  return fmt::format("{:04x}:{:02x}:{:02x}.{:x}", address.domain, address.bus, address.device, address.function);
}

std::optional<PciAddress> parse_pci_address(std::string_view text) {
  const std::size_t first = text.find(':');
  if (first == std::string_view::npos) return std::nullopt;
  std::optional<std::uint32_t> domain = 0;
  if (text.find(':', first + 1) != std::string_view::npos) domain = take_hex(text, ':', 0xFFFFFFFF);
  const auto bus = take_hex(text, ':', 0xFF);
  const auto device = take_hex(text, '.', 0x1F);
  const auto function = take_hex(text, 0, 7);
  if (!domain || !bus || !device || !function) return std::nullopt;
  return PciAddress{*domain, static_cast<std::uint8_t>(*bus), static_cast<std::uint8_t>(*device),
                    static_cast<std::uint8_t>(*function)};
}

}  // namespace weir::device
