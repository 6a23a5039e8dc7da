#pragma once
#include <array>

#include "kernels/common/image_kernel.hpp"

// What kernels that count values or look up counts have in common.
namespace mpskit::image {

// MPSImageHistogramInfo: how the values of up to four channels fall into bins.
struct HistogramInfo {
  std::int64_t number_of_histogram_entries = 256;
  bool histogram_for_alpha = false;
  std::array<float, 4> min_pixel_value{0, 0, 0, 0}, max_pixel_value{1, 1, 1, 1};
  bool operator==(const HistogramInfo&) const = default;

  static constexpr std::int64_t most_entries = 65536;  // one for each code of uint16
  static constexpr std::tuple info_fields{
      Field{"number_of_histogram_entries", &HistogramInfo::number_of_histogram_entries, Range{.min = 256, .max = most_entries}, "bins",
            "Bins of each channel, a power of two."},
      Field{"histogram_for_alpha", &HistogramInfo::histogram_for_alpha, Range{}, "", "Take the fourth of four channels for one more colour; otherwise it is left alone."},
      Field{"min_pixel_value", &HistogramInfo::min_pixel_value, Range{}, "", "Where the first bin of each channel begins, in the values that the format means; lower values fall into it too."},
      Field{"max_pixel_value", &HistogramInfo::max_pixel_value, Range{}, "", "Where the last bin of each channel ends; higher values fall into it too."}};
  static constexpr std::array aliases{Alias{"bins", {"number_of_histogram_entries", ""}}};
  static constexpr int positional = 1;
  static constexpr std::array parts{Record::Part{"number_of_histogram_entries", "u8", 0}, Record::Part{"histogram_for_alpha", "?", 8},
                                    Record::Part{"min_pixel_value", "4f4", 16}, Record::Part{"max_pixel_value", "4f4", 32}};
  static constexpr Record record{"histogram_info", "HistogramInfo", 48, parts};

  // Channels that have a histogram.
  std::int64_t counted(std::int64_t channels) const { return channels == 4 && !histogram_for_alpha ? 3 : channels; }
};

inline constexpr std::string_view histogram_text = "uint32, shape (channels, bins) or (images, channels, bins), without alpha unless histogram_for_alpha";
inline constexpr std::array histogram_tolerances{
    Tolerance{DType::u32, 0, 0, "counts are exact where no value lies within a rounding of a bin's end"}};

void validate(std::string_view kernel, const HistogramInfo& k);  // rules between its fields
void check_counted(std::string_view kernel, const Layout& src, const Region& clip_rect_source);
Layout histogram_of(std::string_view kernel, const HistogramInfo& k, const Layout& src, const OutputHints& hints);
// A histogram of every image; with `or_one` one for all of them will do.
void check_histogram(std::string_view kernel, std::string_view operand, const HistogramInfo& k, const Layout& src, const Layout& histogram, bool or_one);

// Kernels that give every value a new one, by histograms.
struct HistogramTransform : HistogramInfo, UnaryKernel {
  bool operator==(const HistogramTransform&) const = default;

  static constexpr auto fields = std::tuple_cat(info_fields, unary_fields);
  static constexpr std::array tolerances{
      Tolerance{DType::u8, 1, 0, "one code of the rounded exact value"},
      Tolerance{DType::u16, 1, 0, "one code of the rounded exact value"},
      Tolerance{DType::f16, 1e-6, 1e-3, "one rounding to half precision"},
      Tolerance{DType::f32, 1e-6, 1e-6, "a float64 table, one rounding"}};
};
inline constexpr OperandSpec histogram_input(const char* name, const char* doc, Count count) { return {name, Role::input, Kind::matrix, DType::u32, doc, count}; }
void check_transform(std::string_view kernel, const HistogramTransform& k, const Layout& src, const Layout& dst);

}  // namespace mpskit::image
