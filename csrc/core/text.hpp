#pragma once
#include <concepts>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

// Text for messages. std::format and floating-point to_chars need macOS 13.4; the wheel targets 12.0.
namespace mpskit {

std::string to_text(double value);  // shortest text that reads back as the same float, "2.0" rather than "2"
std::string to_text(std::span<const std::int64_t> tuple);  // Python's spelling: "(3, 4)", "(3,)"

namespace detail {
inline void append(std::string& out, std::string_view s) { out += s; }
inline void append(std::string& out, char c) { out += c; }
inline void append(std::string& out, std::same_as<bool> auto b) { out += b ? "True" : "False"; }
template <std::integral T>
  requires(!std::same_as<T, bool>)
void append(std::string& out, T v) { out += std::to_string(v); }
template <std::floating_point T>
void append(std::string& out, T v) { out += to_text(static_cast<double>(v)); }
}  // namespace detail

// cat("rows is ", 3, "; allowed: ", 4) — one string out of parts.
template <class... Parts>
std::string cat(const Parts&... parts) {
  std::string out;
  (detail::append(out, parts), ...);
  return out;
}

// "1 channel", "3 channels".
std::string counted(std::int64_t n, std::string_view what);

// The candidate nearest to a misspelt word, or nothing when none is near.
std::string nearest(std::string_view word, std::span<const std::string> candidates);

}  // namespace mpskit
