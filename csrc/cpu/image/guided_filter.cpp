#include "cpu/image/fetch.inl"
#include "cpu/image/running_sums.inl"

// Sums over windows by running sums, in double precision: of whole codes they are exact, of floats nothing is lost that float32 shows. Down the picture a
// window's columns gain a row and lose one, along the row the window gains a column and loses one. Bands of rows go side by side and do not
// depend on the number of threads. Rows lie plane by plane, so that all but the sums along a row is done a register at a time.
namespace mpskit::cpu::MPSKIT_ISA {
namespace {

// Planes of one row, zeros on both sides of each, so that windows need not be cut there.
class GuidedPlanes {
 public:
  GuidedPlanes(std::int64_t planes, std::int64_t width, std::int64_t margin)
      : margin_(margin), pitch_(rounded_up(width + 2 * margin, 8) + 8), values_(static_cast<std::size_t>(planes * pitch_)) {}
  double* operator[](std::int64_t k) { return values_.data() + k * pitch_ + margin_; }

  // to[k][x] = the sum of plane k over [x - radius, x + radius]. `group` planes at a time, for one addition waits for the one before; a register of sums
  // is one of running sums, so that it waits once. The last register may be written past the width.
  template <int group>
  void sum_windows(std::int64_t first, std::int64_t width, std::int64_t radius, GuidedPlanes& to) {
    constexpr std::make_index_sequence<lanes<double>> all;
    Vec<double> before[group] = {};
    for (int j = 0; j < group; ++j)
      for (std::int64_t x = 0; x < radius; ++x) before[j] += (*this)[first + j][x];
    const double* from = (*this)[first];
    double* out = to[first];
    for (std::int64_t x = 0; x < width; x += lanes<double>)
      for (int j = 0; j < group; ++j) {
        const double* const p = from + j * pitch_ + x;
        const Vec<double> sums = before[j] + sums_within<1, double>(load<Vec<double>>(p + radius) - load<Vec<double>>(p - radius - 1));
        store(out + j * to.pitch_ + x, sums);
        before[j] = last_of<1, double>(sums, all);
      }
  }

 private:
  std::int64_t margin_, pitch_;
  std::vector<double> values_;
};

class GuidedFilterPlan final : public CpuPlan {
 public:
  GuidedFilterPlan(const image::GuidedFilter& k, const Call& call)
      : is_regression_(k.is_regression()), is_joint_(!k.independent_channels), epsilon_(static_cast<double>(k.epsilon)),
        scale_(k.reconstruct_scale), offset_(k.reconstruct_offset) {
    const Layout& guidance = call.inputs[is_regression_ ? 1 : 0];
    images_ = guidance.images(), height_ = guidance.height(), width_ = guidance.width(), channels_ = guidance.channels();
    radius_x_ = std::min(k.kernel_diameter / 2, width_);
    radius_y_ = std::min(k.kernel_diameter / 2, height_);
    models_ = is_joint_ ? 1 : channels_;
    planes_ = models_ * (is_joint_ ? 4 : 2);
    for (std::int64_t x = 0; x < width_ && is_regression_; ++x) {
      across_.push_back(pixels_around(x, radius_x_, width_));
      one_across_.push_back(1 / across_.back());
    }
    if (!is_regression_) {
      along_ = places(width_, call.inputs[1].width());
      down_ = places(height_, call.inputs[1].height());
    }
  }

  void run(std::span<const View> views) const override {
    if (!is_regression_) return reconstruct(views);
    const std::size_t outputs = is_joint_ ? 1 : 2;
    const View* weights = views.size() - outputs > 2 ? &views[2] : nullptr;
    const Scratch memory(static_cast<std::size_t>(height_ * planes_ * width_) * sizeof(float));
    for (std::int64_t n = 0; n < images_; ++n) {
      if (is_joint_) regress<3>(views[0], views[1], weights, n, memory.as<float>());
      else regress<1>(views[0], views[1], weights, n, memory.as<float>());
      average(memory.as<float>(), views.last(outputs), n);
    }
  }

 private:
  // ---- regression
  // Along one side of a window.
  static MPSKIT_INLINE double pixels_around(std::int64_t at, std::int64_t radius, std::int64_t size) {
    return static_cast<double>(std::min(size, at + radius + 1) - std::max<std::int64_t>(0, at - radius));
  }
  // f(begin, end) for bands of rows, no less high than the window: what a band adds before its first row is no more than its own work.
  template <class F>
  void each_band(F&& f) const {
    const std::int64_t band = std::max<std::int64_t>(32, 2 * radius_y_ + 1), bands = (height_ + band - 1) / band;
    parallel_for(bands, (1 << 14) / (band * width_) + 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t b = begin; b < end; ++b) f(b * band, std::min(height_, (b + 1) * band));
    });
  }
  // add(y, sign) as rows come into and leave the window around each row of the band, then use(y).
  template <class Add, class Use>
  void slide(std::int64_t begin, std::int64_t end, Add&& add, Use&& use) const {
    for (std::int64_t y = std::max<std::int64_t>(0, begin - radius_y_); y < std::min(height_, begin + radius_y_); ++y) add(y, 1.0);
    for (std::int64_t y = begin; y < end; ++y) {
      if (y + radius_y_ < height_) add(y + radius_y_, 1.0);
      use(y);
      if (y - radius_y_ >= 0) add(y - radius_y_, -1.0);
    }
  }

  // A channel of a row and its squares onto the sums of columns; `channels` is 0 where it is known at run time only.
  template <int channels>
  void add_squares(const float* from, double sign, double* __restrict once, double* __restrict squared) const {
    const std::int64_t stride = channels > 0 ? channels : models_;
    for (std::int64_t x = 0; x < width_; ++x) {
      const double p = static_cast<double>(from[x * stride]);
      once[x] += sign * p;
      squared[x] += sign * (p * p);
    }
  }

  // The models of every window, before they are averaged: row y's plane k at (y * planes + k) * width. `guides` channels make one model.
  template <int guides>
  void regress(const View& image, const View& guidance, const View* weights, std::int64_t n, float* models) const {
    constexpr int pairs = guides * (guides + 1) / 2, planes = 3 + 2 * guides + pairs, odd = (planes - 2) % 4;
    const bool is_self = guides == 1 && image.data == guidance.data && image.layout == guidance.layout;  // then of planes 2 to 5 there are two
    each_band([&](std::int64_t begin, std::int64_t end) {
      std::vector<float> source(static_cast<std::size_t>(width_ * image.layout.channels())), guide(static_cast<std::size_t>(width_ * channels_)),
          weight(static_cast<std::size_t>(width_), 1.0f);
      GuidedPlanes row(2 + guides, width_, 0);
      for (std::int64_t model = 0; model < models_; ++model) {
        GuidedPlanes columns(planes, width_, radius_x_ + 1), sums(planes, width_, 0);
        double high = 0;  // the window of the row before: without weights one of the same height counts the same
        const auto add = [&](std::int64_t y, double sign) {
          fetch_row(image, n, y, 0, width_, EdgeMode::clamp, source.data());
          if (is_self && !weights)
            return models_ == 1 ? add_squares<1>(source.data(), sign, columns[2], columns[3]) : add_squares<0>(source.data() + model, sign, columns[2], columns[3]);
          fetch_row(guidance, n, y, 0, width_, EdgeMode::clamp, guide.data());
          if (weights) fetch_row(*weights, n, y, 0, width_, EdgeMode::clamp, weight.data());
          double *w = row[0], *p = row[1];
          for (std::int64_t x = 0; x < width_; ++x) {
            w[x] = static_cast<double>(weight[static_cast<std::size_t>(x)]);
            p[x] = static_cast<double>(source[static_cast<std::size_t>(x * models_ + model)]);
          }
          for (int g = 0; g < guides; ++g)
            for (std::int64_t x = 0; x < width_; ++x) row[2 + g][x] = static_cast<double>(guide[static_cast<std::size_t>(x * channels_ + model + g)]);
          const auto sum = [&](int k, auto value) {
            double* to = columns[k];
            for (std::int64_t x = 0; x < width_; ++x) to[x] += sign * value(x);
          };
          if (weights) {
            sum(0, [=](std::int64_t x) { return w[x]; });
            sum(1, [=](std::int64_t x) { return w[x] != 0 ? 1.0 : 0.0; });  // exactly 0 where nothing counts
          }
          sum(2, [=](std::int64_t x) { return w[x] * p[x]; });
          if (is_self) return sum(3, [=](std::int64_t x) { return w[x] * p[x] * p[x]; });
          int k = 3;
          for (int g = 0; g < guides; ++g) {
            const double* i = row[2 + g];
            sum(k++, [=](std::int64_t x) { return w[x] * i[x]; });
            sum(k++, [=](std::int64_t x) { return w[x] * p[x] * i[x]; });
          }
          for (int g = 0; g < guides; ++g)
            for (int h = g; h < guides; ++h) {
              const double *i = row[2 + g], *j = row[2 + h];
              sum(k++, [=](std::int64_t x) { return w[x] * i[x] * j[x]; });
            }
        };
        slide(begin, end, add, [&](std::int64_t y) {
          if (weights) columns.sum_windows<2>(0, width_, radius_x_, sums);
          else if (const double rows = pixels_around(y, radius_y_, height_); std::exchange(high, rows) != rows)
            for (std::int64_t x = 0; x < width_; ++x) sums[0][x] = 1 / (across_[static_cast<std::size_t>(x)] * rows);
          if constexpr (odd > 0) columns.sum_windows<odd>(2, width_, radius_x_, sums);
          if (is_self) columns.sum_windows<2>(2, width_, radius_x_, sums);
          else for (int k = 2 + odd; k < planes; k += 4) columns.sum_windows<4>(k, width_, radius_x_, sums);
          float* to = models + (y * planes_ + model * (guides + 1)) * width_;
          if (weights)
            for (std::int64_t x = 0; x < width_; ++x) sums[0][x] = sums[1][x] > 0.5 ? 1 / sums[0][x] : 0;
          solve<guides>(sums, is_self, 1 / static_cast<double>(unit_of(image.layout.dtype)), 1 / static_cast<double>(unit_of(guidance.layout.dtype)), to);
        });
      }
    });
  }

  // sums[0] is one over the weight, or 0 where nothing counts.
  template <int guides>
  void solve(GuidedPlanes& sums, bool is_self, double source_unit, double guide_unit, float* to) const {
    const double *one_weight = sums[0], *source = sums[2];
    const double *first[guides], *product[guides], *pair[6] = {};
    for (int g = 0; g < guides; ++g) first[g] = sums[3 + 2 * g], product[g] = sums[4 + 2 * g];
    for (int i = 0; i < guides * (guides + 1) / 2; ++i) pair[i] = sums[3 + 2 * guides + i];
    if (is_self) first[0] = source, product[0] = pair[0] = sums[3];
    for (std::int64_t x = 0; x < width_; ++x) {
      const double one = one_weight[x], p = source[x] * one * source_unit, squared = guide_unit * guide_unit;
      double mean[guides], with[guides], a[guides];
      for (int g = 0; g < guides; ++g) {
        mean[g] = first[g][x] * one * guide_unit;
        with[g] = product[g][x] * one * guide_unit * source_unit - mean[g] * p;
      }
      const auto variance = [&](int i, int g, int h) { return pair[i][x] * one * squared - mean[g] * mean[h] + (g == h ? epsilon_ : 0); };
      if constexpr (guides == 1) {
        a[0] = with[0] / variance(0, 0, 0);
      } else {
        const double rr = variance(0, 0, 0), rg = variance(1, 0, 1), rb = variance(2, 0, 2), gg = variance(3, 1, 1), gb = variance(4, 1, 2), bb = variance(5, 2, 2);
        const double c00 = gg * bb - gb * gb, c01 = rb * gb - rg * bb, c02 = rg * gb - rb * gg, c11 = rr * bb - rb * rb, c12 = rg * rb - rr * gb, c22 = rr * gg - rg * rg;
        const double d = 1 / (rr * c00 + rg * c01 + rb * c02);
        a[0] = (c00 * with[0] + c01 * with[1] + c02 * with[2]) * d;
        a[1] = (c01 * with[0] + c11 * with[1] + c12 * with[2]) * d;
        a[2] = (c02 * with[0] + c12 * with[1] + c22 * with[2]) * d;
      }
      double b = p;
      for (int g = 0; g < guides; ++g) {
        b -= a[g] * mean[g];
        to[g * width_ + x] = one != 0 ? static_cast<float>(a[g]) : 0.0f;
      }
      to[guides * width_ + x] = one != 0 ? static_cast<float>(b) : 0.0f;
    }
  }

  // Means of the models over the same windows, to one picture of all, or to those of a and b.
  void average(const float* models, std::span<const View> outputs, std::int64_t n) const {
    each_band([&](std::int64_t begin, std::int64_t end) {
      GuidedPlanes columns(planes_, width_, radius_x_ + 1), sums(planes_, width_, 0);
      std::vector<float> row(static_cast<std::size_t>(width_ * planes_));
      const std::int64_t each = planes_ / static_cast<std::int64_t>(outputs.size());  // channels
      const auto add = [&](std::int64_t y, double sign) {
        for (std::int64_t k = 0; k < planes_; ++k) {
          const float* from = models + (y * planes_ + k) * width_;
          double* to = columns[k];
          for (std::int64_t x = 0; x < width_; ++x) to[x] += sign * static_cast<double>(from[x]);
        }
      };
      slide(begin, end, add, [&](std::int64_t y) {
        for (std::int64_t k = 0; k < planes_; k += 2) columns.sum_windows<2>(k, width_, radius_x_, sums);
        const double one = 1 / pixels_around(y, radius_y_, height_);
        for (std::size_t i = 0; i < outputs.size(); ++i) {
          for (std::int64_t c = 0; c < each; ++c) {
            const double* from = sums[is_joint_ ? c : 2 * c + static_cast<std::int64_t>(i)];
            for (std::int64_t x = 0; x < width_; ++x) row[static_cast<std::size_t>(x * each + c)] = static_cast<float>(from[x] * (one * one_across_[static_cast<std::size_t>(x)]));
          }
          from_float(row.data(), outputs[i].layout.dtype, outputs[i].row<std::byte>(n, y), width_ * each);
        }
      });
    });
  }

  // ---- reconstruction
  struct Place {  // between two neighbours
    std::int64_t before, after;
    float part;
  };
  // Of the centres of `count` pixels among those of `length`.
  static std::vector<Place> places(std::int64_t count, std::int64_t length) {
    std::vector<Place> out(static_cast<std::size_t>(count));
    for (std::int64_t i = 0; i < count; ++i) {
      const double at = static_cast<double>((2 * i + 1) * length - count) / static_cast<double>(2 * count), whole = std::floor(at);
      const auto first = static_cast<std::int64_t>(whole);
      out[static_cast<std::size_t>(i)] = {std::clamp<std::int64_t>(first, 0, length - 1), std::clamp<std::int64_t>(first + 1, 0, length - 1), static_cast<float>(at - whole)};
    }
    return out;
  }

  void reconstruct(std::span<const View> views) const {
    const View &guidance = views[0], &dst = views.back();
    const std::span<const View> coefficients = views.subspan(1, views.size() - 2);
    const std::int64_t channels = coefficients[0].layout.channels(), small = coefficients[0].layout.width() * channels;
    parallel_for(images_ * height_, (1 << 14) / (width_ * planes_) + 1, [&](std::int64_t begin, std::int64_t end) {
      std::vector<float> guide(static_cast<std::size_t>(width_ * channels_)), values(static_cast<std::size_t>(width_ * models_)), other(static_cast<std::size_t>(small));
      std::vector<std::vector<float>> rows(coefficients.size(), std::vector<float>(static_cast<std::size_t>(small)));
      for (std::int64_t task = begin; task < end; ++task) {
        const std::int64_t n = task / height_, y = task % height_;
        const Place& down = down_[static_cast<std::size_t>(y)];
        for (std::size_t i = 0; i < coefficients.size(); ++i) {
          fetch_row(coefficients[i], n, down.before, 0, coefficients[i].layout.width(), EdgeMode::clamp, rows[i].data());
          if (down.part == 0) continue;
          fetch_row(coefficients[i], n, down.after, 0, coefficients[i].layout.width(), EdgeMode::clamp, other.data());
          for (std::size_t j = 0; j < other.size(); ++j) rows[i][j] += down.part * (other[j] - rows[i][j]);
        }
        fetch_row(guidance, n, y, 0, width_, EdgeMode::clamp, guide.data(), 1 / unit_of(guidance.layout.dtype));
        if (is_joint_) apply_joint(rows[0].data(), guide.data(), values.data());
        else apply_each(rows[0].data(), rows[1].data(), guide.data(), values.data());
        for (float& v : values) v = v * scale_ + offset_;
        from_float(values.data(), dst.layout.dtype, dst.row<std::byte>(n, y), width_ * models_, unit_of(dst.layout.dtype));
      }
    });
  }
  static MPSKIT_INLINE float between(float a, float b, float part) { return a + part * (b - a); }
  void apply_joint(const float* models, const float* guide, float* values) const {
    for (std::int64_t x = 0; x < width_; ++x) {
      const Place& at = along_[static_cast<std::size_t>(x)];
      const float *a = models + 4 * at.before, *b = models + 4 * at.after, *i = guide + x * channels_;
      float value = between(a[3], b[3], at.part);
      for (int c = 0; c < 3; ++c) value += between(a[c], b[c], at.part) * i[c];
      values[x] = value;
    }
  }
  void apply_each(const float* factors, const float* summands, const float* guide, float* values) const {
    for (std::int64_t x = 0; x < width_; ++x) {
      const Place& at = along_[static_cast<std::size_t>(x)];
      const std::int64_t before = at.before * channels_, after = at.after * channels_;
      for (std::int64_t c = 0; c < channels_; ++c)
        values[x * channels_ + c] = between(factors[before + c], factors[after + c], at.part) * guide[x * channels_ + c] +
                                   between(summands[before + c], summands[after + c], at.part);
    }
  }

  bool is_regression_, is_joint_;
  double epsilon_;
  float scale_, offset_;
  std::int64_t images_ = 0, height_ = 0, width_ = 0, channels_ = 0, radius_x_ = 0, radius_y_ = 0, models_ = 0, planes_ = 0;
  std::vector<double> across_, one_across_;  // columns of the window around each
  std::vector<Place> along_, down_;
};

}  // namespace
}  // namespace mpskit::cpu::MPSKIT_ISA

MPSKIT_CPU_KERNEL(image::GuidedFilter, GuidedFilterPlan)
