#include "cpu/image/gaussian_codes.inl"
#include "cpu/image/gaussian_floats.inl"
#include "cpu/image/stencil_passes.inl"
#include "kernels/common/gaussian_weights.hpp"

namespace mpskit::cpu::MPSKIT_ISA {
namespace {

// A band of output rows is worked through in strips from left to right. The strip's source rows become what the filter reckons
// in, are filtered down the columns into blocks of a few rows, behind what the strips before have left, and filtered along the
// rows. A block keeps the columns that outputs to come still need, so nothing is filtered twice and all of it stays in the
// nearest caches. Beyond the left and right border one filtered column is repeated.
template <class F>
class Strips final : public CpuPlan {
  using Element = typename F::Element;

 public:
  Strips(const image::GaussianBlur& k, const Call& call, std::span<const double> weights)
      : filter_(weights, call.inputs[0], call.outputs[0]), edge_(k.edge_mode), window_(image::clip_window(k.clip_rect, call.outputs[0])) {
    const Layout& src = call.inputs[0];
    radius_ = filter_.radius();
    channels_ = src.channels();
    quantum_ = F::quantum(channels_);
    strip_ = std::max<std::int64_t>(F::strip(radius_) / channels_, 1);
    shift_y_ = bounded(k.offset.y) - radius_;
    const std::int64_t begin = bounded(k.offset.x) - radius_, columns = window_.width + 2 * radius_;
    const std::int64_t left = std::clamp<std::int64_t>(-begin, 0, columns);
    const std::int64_t right = std::clamp<std::int64_t>(begin + columns - src.width(), 0, columns);
    const bool is_filled = edge_ == EdgeMode::clamp;
    auto add = [&](std::int64_t source, std::int64_t pixels, bool is_border) {
      for (std::int64_t p = 0, n; p < pixels; p += n) {
        n = std::min(strip_, pixels - p);
        pieces_.push_back(is_border ? GaussianPiece{source, is_filled, n} : GaussianPiece{source + p, n, n});
      }
    };
    add(0, left, true);
    add(begin + left, columns - left - right, false);
    add(src.width() - 1, right, true);
  }

  void run(std::span<const View> views) const override {
    const std::int64_t images = views[1].layout.images();
    const std::int64_t most = (window_.height + 3 * num_threads() - 1) / (3 * num_threads());
    const std::int64_t band = rounded_up(std::clamp<std::int64_t>(2 * radius_, 32, std::clamp<std::int64_t>(most, 32, 128)), F::block_rows);
    const std::int64_t bands = (window_.height + band - 1) / band;
    const std::int64_t work = std::min(band, window_.height) * window_.width * channels_ * (12 + radius_);
    parallel_for(images * bands, 80000 * lanes<Element> / work + 1, [&](std::int64_t begin, std::int64_t end) {
      const Workspace w(*this, band);
      for (std::int64_t task = begin; task < end; ++task) {
        const std::int64_t y = task % bands * band;
        blur_band(views[0], views[1], task / bands, y, std::min(band, window_.height - y), w);
      }
      end_stream();
    });
  }

 private:
  struct Workspace {
    std::int64_t columns, pitch, block_pitch;  // columns of a block; elements from row to row
    Scratch memory;
    Element *rows, *blocks, *extra;
    Workspace(const Strips& p, std::int64_t band)
        : columns(4 * p.radius_ + 2 * (p.strip_ + p.quantum_)),
          pitch(rounded_up(p.strip_ * p.channels_, F::row_alignment)),
          block_pitch((columns + 4) * p.channels_ + F::row_alignment + 48),
          memory(sizeof(Element) * static_cast<std::size_t>((band + 2 * p.radius_ + 2 * F::block_rows) * pitch + band * block_pitch +
                                                            p.filter_.extra(p.strip_ + p.quantum_))) {
      rows = memory.as<Element>();
      blocks = rows + (band + 2 * p.radius_ + F::block_rows) * pitch;
      extra = blocks + band * block_pitch;
    }
    Element* block(std::int64_t i) const { return blocks + i * F::block_rows * block_pitch; }
  };

  void blur_band(const View& src, const View& dst, std::int64_t image, std::int64_t y, std::int64_t rows, const Workspace& w) const {
    const std::int64_t blocks = (rows + F::block_rows - 1) / F::block_rows;
    const std::int64_t dst_bytes = dst.layout.element_bytes() * channels_;
    std::int64_t begin = 0, end = 0, written = 0;  // filled columns of the blocks, finished output pixels
    for (const GaussianPiece& piece : pieces_) {
      if (end + piece.pixels > w.columns) {
        for (std::int64_t b = 0; b < blocks; ++b) filter_.forget(w.block(b), w.block_pitch, begin, end);
        end -= begin;
        begin = 0;
      }
      for (std::int64_t i = 0; piece.count > 0 && i < rows + 2 * radius_; ++i)
        filter_.fetch(src, image, y + shift_y_ + i, piece, edge_, w.rows + i * w.pitch);
      for (std::int64_t b = 0; b < blocks; ++b)
        filter_.down(w.rows + (b * F::block_rows + radius_) * w.pitch, w.pitch, piece, w.block(b), w.block_pitch, end, w.extra);
      end += piece.pixels;

      const std::int64_t left = window_.width - written;
      std::int64_t ready = end - begin - 2 * radius_;
      if (ready < left) ready -= ready % quantum_;
      if (ready <= 0) continue;
      for (std::int64_t b = 0; b < blocks; ++b) {
        const std::int64_t first = b * F::block_rows;
        filter_.along(w.block(b), w.block_pitch, begin, ready, std::min(F::block_rows, rows - first), dst.layout.dtype,
                      dst.row<std::byte>(image, window_.y + y + first) + (window_.x + written) * dst_bytes, dst.layout.row_bytes(), w.extra);
      }
      begin += ready;
      written += ready;
    }
  }

  F filter_;
  EdgeMode edge_;
  image::Window window_;
  std::int64_t radius_, channels_, quantum_, strip_, shift_y_;
  std::vector<GaussianPiece> pieces_;
};

class GaussianBlurPlan final : public CpuPlan {
 public:
  GaussianBlurPlan(const image::GaussianBlur& k, const Call& call) {
    const std::vector<double> weights = image::gaussian_weights(k.sigma);
    const auto radius = static_cast<std::int64_t>(weights.size()) - 1;
    if (GaussianCodes::fits(radius, call.inputs[0], call.outputs[0])) {
      plan_ = std::make_unique<Strips<GaussianCodes>>(k, call, weights);
    } else if (radius > 0 && radius <= most_of_passes(call.inputs[0].channels())) {
      const std::vector<float> all = image::both_sides(weights);
      plan_ = stencil_plan(k, {{1, 2 * radius + 1, all}, {2 * radius + 1, 1, all}}, 1, call);
    } else {
      plan_ = std::make_unique<Strips<GaussianFloats>>(k, call, weights);
    }
  }
  void run(std::span<const View> views) const override { plan_->run(views); }

 private:
  // Neighbours on a side with which passes of single rows and columns are faster: above it pays that pairs share a weight. With AVX-512 fewer lines
  // crossed count for more (measured on a Sapphire Rapids).
  static std::int64_t most_of_passes(std::int64_t channels) { return MPSKIT_VECTOR_BYTES < 64 ? 12 : channels == 1 ? 63 : channels == 4 ? 40 : 12; }

  std::unique_ptr<CpuPlan> plan_;
};

}  // namespace
}  // namespace mpskit::cpu::MPSKIT_ISA

MPSKIT_CPU_KERNEL(image::GaussianBlur, GaussianBlurPlan)
