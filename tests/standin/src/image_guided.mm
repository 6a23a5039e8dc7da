// The guided filter: a least-squares line or plane in every window, their means, and their values under a guide of any size.
#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "image_filter.hpp"

using namespace standin;

namespace {

struct Model {
  std::array<double, 3> a{};
  double b = 0;
};
using Models = std::vector<Model>;  // one for each pixel

Pixels picture(id<MTLTexture> texture, id<MTLDevice> device, MTLTextureUsage usage) {
  const Pixels p = pixels(texture, usage);
  require(texture.textureType == MTLTextureType2D && texture.device == device, @"MPSImageGuidedFilter: a texture that is not 2D, or of another device");
  require(p.format.kind != Kind::uint && p.format.kind != Kind::sint, @"MPSImageGuidedFilter: a texture of integers");
  return p;
}
void require_same_size(const Pixels& a, const Pixels& b) {
  require(a.width == b.width && a.height == b.height, @"MPSImageGuidedFilter: textures of %lu x %lu and %lu x %lu", lu(a.width), lu(a.height), lu(b.width), lu(b.height));
}
template <class F>
void each_in_window(const Pixels& p, long x, long y, long radius, F f) {
  for (long j = std::max(0l, y - radius); j <= std::min(static_cast<long>(p.height) - 1, y + radius); ++j)
    for (long i = std::max(0l, x - radius); i <= std::min(static_cast<long>(p.width) - 1, x + radius); ++i) f(static_cast<std::size_t>(i), static_cast<std::size_t>(j));
}

// m a = v by elimination; m is positive definite.
std::array<double, 3> solved(std::array<std::array<double, 3>, 3> m, std::array<double, 3> v, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = i + 1; j < n; ++j) {
      const double factor = m[j][i] / m[i][i];
      for (std::size_t k = i; k < n; ++k) m[j][k] -= factor * m[i][k];
      v[j] -= factor * v[i];
    }
  for (std::size_t i = n; i-- > 0;) {
    for (std::size_t k = i + 1; k < n; ++k) v[i] -= m[i][k] * v[k];
    v[i] /= m[i][i];
  }
  return v;
}

struct Regression {
  Pixels source, guidance, weights;
  bool is_weighted;
  long radius;
  double epsilon;

  // Of channel `channel` of the source under `n` channels of the guide from `first` on.
  Models models(int channel, int first, std::size_t n) const {
    Models fitted, out;
    for (long y = 0; y < static_cast<long>(source.height); ++y)
      for (long x = 0; x < static_cast<long>(source.width); ++x) fitted.push_back(model(x, y, channel, first, n));
    for (long y = 0; y < static_cast<long>(source.height); ++y)
      for (long x = 0; x < static_cast<long>(source.width); ++x) {
        Model mean;
        double count = 0;
        each_in_window(source, x, y, radius, [&](std::size_t i, std::size_t j) {
          const Model& one = fitted[j * source.width + i];
          for (std::size_t g = 0; g < n; ++g) mean.a[g] += one.a[g];
          mean.b += one.b;
          ++count;
        });
        for (double& a : mean.a) a /= count;
        mean.b /= count;
        out.push_back(mean);
      }
    return out;
  }
  Model model(long x, long y, int channel, int first, std::size_t n) const {
    double total = 0, p = 0;
    std::array<double, 3> mean{}, with{};
    std::array<std::array<double, 3>, 3> covariance{};
    const auto each = [&](auto use) {  // use(weight, value, guide)
      each_in_window(source, x, y, radius, [&](std::size_t i, std::size_t j) {
        std::array<double, 3> guide{};
        for (std::size_t g = 0; g < n; ++g) guide[g] = guidance.get(i, j, first + static_cast<int>(g));
        use(is_weighted ? weights.get(i, j, 0) : 1.0, source.get(i, j, channel), guide);
      });
    };
    each([&](double w, double value, const std::array<double, 3>& guide) {
      total += w;
      p += w * value;
      for (std::size_t g = 0; g < n; ++g) mean[g] += w * guide[g];
    });
    if (total == 0) return {};
    p /= total;
    for (double& m : mean) m /= total;
    each([&](double w, double value, const std::array<double, 3>& guide) {
      for (std::size_t g = 0; g < n; ++g) {
        with[g] += w / total * (guide[g] - mean[g]) * (value - p);
        for (std::size_t h = 0; h < n; ++h) covariance[g][h] += w / total * (guide[g] - mean[g]) * (guide[h] - mean[h]);
      }
    });
    for (std::size_t g = 0; g < n; ++g) covariance[g][g] += epsilon;
    Model out{solved(covariance, with, n), p};
    for (std::size_t g = 0; g < n; ++g) out.b -= out.a[g] * mean[g];
    return out;
  }
};

// Of coefficients at the centre of pixel (x, y) of a larger or smaller picture.
double interpolated(const Pixels& p, std::size_t x, std::size_t y, const Pixels& guide, int channel) {
  const auto axis = [](std::size_t i, std::size_t count, std::size_t length) {
    const double at = (static_cast<double>(i) + 0.5) * static_cast<double>(length) / static_cast<double>(count) - 0.5, whole = std::floor(at);
    const auto near = [&](double k) { return static_cast<std::size_t>(std::clamp(k, 0.0, static_cast<double>(length) - 1)); };
    return std::array<std::pair<std::size_t, double>, 2>{{{near(whole), 1 - (at - whole)}, {near(whole + 1), at - whole}}};
  };
  double value = 0;
  for (const auto& [j, wy] : axis(y, guide.height, p.height))
    for (const auto& [i, wx] : axis(x, guide.width, p.width)) value += wx * wy * p.get(i, j, channel);
  return value;
}

}  // namespace

@implementation MPSImageGuidedFilter
@synthesize kernelDiameter = _kernelDiameter, epsilon = _epsilon, reconstructScale = _reconstructScale, reconstructOffset = _reconstructOffset;
- (instancetype)initWithDevice:(id<MTLDevice>)device kernelDiameter:(NSUInteger)diameter {
  require(diameter % 2 == 1, @"MPSImageGuidedFilter: kernelDiameter %lu; allowed: odd numbers", lu(diameter));
  if ((self = [super initWithDevice:device])) {
    _kernelDiameter = diameter;
    _epsilon = NAN;  // no default is documented
    _reconstructScale = 1;
  }
  return self;
}
- (void)standinCopyStateFrom:(MPSImageGuidedFilter*)other {
  [super standinCopyStateFrom:other];
  _kernelDiameter = other->_kernelDiameter;
  _epsilon = other->_epsilon;
  _reconstructScale = other->_reconstructScale;
  _reconstructOffset = other->_reconstructOffset;
}
- (Pixels)target:(id<MTLTexture>)texture {
  Pixels p = picture(texture, _device, MTLTextureUsageShaderWrite);
  p.is_reduced = _options & MPSKernelOptionsAllowReducedPrecision;
  return p;
}
- (Regression)regressionOf:(id<MTLTexture>)source under:(id<MTLTexture>)guidance with:(id<MTLTexture>)weights {
  require(_epsilon > 0, @"MPSImageGuidedFilter: epsilon %g", static_cast<double>(_epsilon));
  const Pixels p = picture(source, _device, MTLTextureUsageShaderRead), guide = picture(guidance, _device, MTLTextureUsageShaderRead);
  require_same_size(p, guide);
  const Pixels w = weights ? picture(weights, _device, MTLTextureUsageShaderRead) : p;
  require_same_size(p, w);
  require(!weights || w.format.channels == 1, @"MPSImageGuidedFilter: weights of %d channels", w.format.channels);
  return {p, guide, w, weights != nil, static_cast<long>(_kernelDiameter / 2), static_cast<double>(_epsilon)};
}
- (void)encodeRegressionToCommandBuffer:(id<MTLCommandBuffer>)commandBuffer
                          sourceTexture:(id<MTLTexture>)source
                        guidanceTexture:(id<MTLTexture>)guidance
                         weightsTexture:(id<MTLTexture>)weights
         destinationCoefficientsTexture:(id<MTLTexture>)destination {
  const Regression r = [self regressionOf:source under:guidance with:weights];
  const Pixels to = [self target:destination];
  require_same_size(r.source, to);
  require(r.source.format.channels == 1 && r.guidance.format.channels >= 3 && to.format.channels == 4, @"MPSImageGuidedFilter: %d channels under %d to %d",
          r.source.format.channels, r.guidance.format.channels, to.format.channels);
  encode(commandBuffer, _label ? _label : @"MPSImageGuidedFilter", {reads(r.source), reads(r.guidance), reads(r.weights), writes(to)}, [=] {
    const Models m = r.models(0, 0, 3);
    for (std::size_t i = 0; i < m.size(); ++i)
      for (int c = 0; c < 4; ++c) to.put(i % to.width, i / to.width, c, c < 3 ? m[i].a[static_cast<std::size_t>(c)] : m[i].b);
  });
}
- (void)encodeRegressionToCommandBuffer:(id<MTLCommandBuffer>)commandBuffer
                          sourceTexture:(id<MTLTexture>)source
                        guidanceTexture:(id<MTLTexture>)guidance
                         weightsTexture:(id<MTLTexture>)weights
        destinationCoefficientsTextureA:(id<MTLTexture>)destinationA
        destinationCoefficientsTextureB:(id<MTLTexture>)destinationB {
  const Regression r = [self regressionOf:source under:guidance with:weights];
  const Pixels a = [self target:destinationA], b = [self target:destinationB];
  require_same_size(r.source, a);
  require_same_size(r.source, b);
  for (const Pixels& p : {r.guidance, a, b})
    require(p.format.channels == r.source.format.channels, @"MPSImageGuidedFilter: %d channels and %d", r.source.format.channels, p.format.channels);
  encode(commandBuffer, _label ? _label : @"MPSImageGuidedFilter", {reads(r.source), reads(r.guidance), reads(r.weights), writes(a), writes(b)}, [=] {
    for (int c = 0; c < a.format.channels; ++c) {
      const Models m = r.models(c, c, 1);
      for (std::size_t i = 0; i < m.size(); ++i) {
        a.put(i % a.width, i / a.width, c, m[i].a[0]);
        b.put(i % b.width, i / b.width, c, m[i].b);
      }
    }
  });
}
- (void)encodeReconstructionToCommandBuffer:(id<MTLCommandBuffer>)commandBuffer
                            guidanceTexture:(id<MTLTexture>)guidance
                        coefficientsTexture:(id<MTLTexture>)coefficients
                         destinationTexture:(id<MTLTexture>)destination {
  const Pixels guide = picture(guidance, _device, MTLTextureUsageShaderRead), m = picture(coefficients, _device, MTLTextureUsageShaderRead),
               to = [self target:destination];
  require_same_size(guide, to);
  require(guide.format.channels >= 3 && m.format.channels == 4 && to.format.channels == 1, @"MPSImageGuidedFilter: %d channels under %d to %d", m.format.channels,
          guide.format.channels, to.format.channels);
  encode(commandBuffer, _label ? _label : @"MPSImageGuidedFilter", {reads(guide), reads(m), writes(to)},
         [=, scale = static_cast<double>(_reconstructScale), offset = static_cast<double>(_reconstructOffset)] {
           for (std::size_t y = 0; y < to.height; ++y)
             for (std::size_t x = 0; x < to.width; ++x) {
               double value = interpolated(m, x, y, guide, 3);
               for (int c = 0; c < 3; ++c) value += interpolated(m, x, y, guide, c) * guide.get(x, y, c);
               to.put(x, y, 0, value * scale + offset);
             }
         });
}
- (void)encodeReconstructionToCommandBuffer:(id<MTLCommandBuffer>)commandBuffer
                            guidanceTexture:(id<MTLTexture>)guidance
                       coefficientsTextureA:(id<MTLTexture>)coefficientsA
                       coefficientsTextureB:(id<MTLTexture>)coefficientsB
                         destinationTexture:(id<MTLTexture>)destination {
  const Pixels guide = picture(guidance, _device, MTLTextureUsageShaderRead), a = picture(coefficientsA, _device, MTLTextureUsageShaderRead),
               b = picture(coefficientsB, _device, MTLTextureUsageShaderRead), to = [self target:destination];
  require_same_size(guide, to);
  require_same_size(a, b);
  encode(commandBuffer, _label ? _label : @"MPSImageGuidedFilter", {reads(guide), reads(a), reads(b), writes(to)},
         [=, scale = static_cast<double>(_reconstructScale), offset = static_cast<double>(_reconstructOffset)] {
           for (std::size_t y = 0; y < to.height; ++y)
             for (std::size_t x = 0; x < to.width; ++x)
               for (int c = 0; c < to.format.channels; ++c)
                 to.put(x, y, c, (interpolated(a, x, y, guide, c) * guide.get(x, y, c) + interpolated(b, x, y, guide, c)) * scale + offset);
         });
}
@end
