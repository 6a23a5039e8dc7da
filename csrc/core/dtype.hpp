#pragma once
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>

// Element types. In an image uint8 and uint16 hold unorm8 and unorm16 codes (value / 255, value / 65535); in a matrix
// integers are plain integers.
namespace mpskit {

enum class DType : std::uint8_t { u8, u16, f16, f32, i8, i16, i32, u32, f64 };
inline constexpr std::size_t dtype_count = 9;

constexpr std::size_t size_of(DType t) {
  constexpr std::array<std::size_t, dtype_count> sizes{1, 2, 2, 4, 1, 2, 4, 4, 8};
  return sizes[static_cast<std::size_t>(t)];
}
constexpr std::string_view name_of(DType t) {  // NumPy's names
  constexpr std::array<std::string_view, dtype_count> names{"uint8", "uint16", "float16", "float32", "int8",
                                                            "int16", "int32",  "uint32",  "float64"};
  return names[static_cast<std::size_t>(t)];
}
constexpr std::string_view channel_format_of(DType t) {  // an image's name for it; empty when no image has it
  switch (t) {
    case DType::u8: return "unorm8";
    case DType::u16: return "unorm16";
    case DType::f16: return "float16";
    case DType::f32: return "float32";
    default: return {};
  }
}

// A set of element types: what a kernel's operand allows.
class DTypes {
 public:
  template <class... T>
  constexpr DTypes(T... types) : bits_((0u | ... | (1u << static_cast<unsigned>(types)))) {}
  constexpr bool contains(DType t) const { return (bits_ >> static_cast<unsigned>(t)) & 1u; }

 private:
  std::uint32_t bits_;
};
inline constexpr DTypes image_dtypes{DType::u8, DType::u16, DType::f16, DType::f32};

// IEEE 754 half precision where no instruction does it: exact to float, round to nearest even from float.
constexpr float half_to_float(std::uint16_t h) {
  const std::uint32_t sign = static_cast<std::uint32_t>(h & 0x8000u) << 16;
  std::uint32_t exponent = (h >> 10) & 31u, mantissa = h & 1023u;
  if (exponent == 31) return std::bit_cast<float>(sign | 0x7f800000u | (mantissa << 13));
  if (exponent == 0) {
    if (mantissa == 0) return std::bit_cast<float>(sign);
    while (!(mantissa & 1024u)) {
      mantissa <<= 1;
      --exponent;  // wraps on purpose: 113 + exponent stays right
    }
    ++exponent;
    mantissa &= 1023u;
  }
  return std::bit_cast<float>(sign | ((exponent + 112u) << 23) | (mantissa << 13));
}
constexpr std::uint16_t float_to_half(float f) {
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(f);
  const auto sign = static_cast<std::uint16_t>((bits >> 16) & 0x8000u);
  const std::uint32_t magnitude = bits & 0x7fffffffu;
  if (magnitude > 0x7f800000u) return static_cast<std::uint16_t>(sign | 0x7e00u | ((magnitude >> 13) & 0x3ffu));  // NaN
  if (magnitude >= 0x47800000u) return static_cast<std::uint16_t>(sign | 0x7c00u);  // 65536 and above
  if (magnitude < 0x33000000u) return sign;                                         // below half the least subnormal
  if (magnitude < 0x38800000u) {                                                    // subnormal result
    const std::uint32_t shift = 126u - (magnitude >> 23);
    const std::uint32_t m = (magnitude & 0x7fffffu) | 0x800000u;
    const std::uint32_t kept = m >> shift, rest = m & ((1u << shift) - 1u), half = 1u << (shift - 1u);
    return static_cast<std::uint16_t>(sign | (kept + ((rest > half || (rest == half && (kept & 1u))) ? 1u : 0u)));
  }
  const std::uint32_t rounded = magnitude + 0xfffu + ((magnitude >> 13) & 1u) - 0x38000000u;
  return static_cast<std::uint16_t>(sign | (rounded >> 13));  // a carry into infinity is the right answer
}

}  // namespace mpskit
