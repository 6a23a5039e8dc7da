#include <cctype>
#include <regex>

#include "compute.hpp"

NSString* const MTLLibraryErrorDomain = @"MTLLibraryErrorDomain";

using namespace standin;

namespace standin {
namespace {

std::string without_comments(const std::string& source) {
  static const std::regex comment(R"(//[^\n]*|/\*[^*]*\*+(?:[^/*][^*]*\*+)*/)");
  return std::regex_replace(source, comment, " ");
}

// "kernel void name(" at `open`: the parameters' texts.
std::vector<std::string> parameters_of(const std::string& s, std::size_t open) {
  std::vector<std::string> all(1);
  int depth = 0;
  for (std::size_t i = open; i < s.size(); ++i) {
    const char c = s[i];
    if (c == '(' || c == '[' || c == '<') ++depth;
    if (c == ')' || c == ']' || c == '>') --depth;
    if (depth == 0) break;
    if (c == ',' && depth == 1) {
      all.emplace_back();
    } else if (i != open) {
      all.back() += c;
    }
  }
  return all;
}

bool place_of(const std::string& parameter, Place& place) {
  static const std::pair<const char*, Place::Kind> positions[] = {
      {"thread_position_in_grid", Place::in_grid},
      {"thread_position_in_threadgroup", Place::in_threadgroup},
      {"threadgroup_position_in_grid", Place::threadgroup},
      {"threads_per_grid", Place::per_grid},
      {"threads_per_threadgroup", Place::per_threadgroup},
      {"threadgroups_per_grid", Place::threadgroups},
  };
  static const std::regex attribute(R"(\[\[\s*(\w+)\s*(?:\(\s*(\d+)\s*\))?\s*\]\])");
  std::smatch match;
  if (!std::regex_search(parameter, match, attribute)) return false;
  const std::string name = match[1];
  if (match[2].matched && (name == "buffer" || name == "texture")) {
    place = {name == "buffer" ? Place::buffer : Place::texture, std::stoul(match[2])};
    return place.index < (place.kind == Place::buffer ? 31u : 128u);
  }
  for (const auto& [word, kind] : positions)
    if (name == word) {
      place = {kind};
      return true;
    }
  return false;
}

}  // namespace

std::string parse(const std::string& commented, std::vector<Entry>& kernels) {
  const std::string source = without_comments(commented);
  static const std::regex error(R"(#\s*error\s+([^\n]*))"), declaration(R"(\bkernel\s+void\s+(\w+)\s*\()");
  std::smatch match;
  if (std::regex_search(source, match, error)) return "error: " + match[1].str();
  for (auto i = std::sregex_iterator(source.begin(), source.end(), declaration); i != std::sregex_iterator(); ++i) {
    Entry entry{(*i)[1], {}, find_shader((*i)[1].str().c_str())};
    if (!entry.shader) return "error: " + entry.name + " was not compiled into the stand-in";
    for (const std::string& parameter : parameters_of(source, static_cast<std::size_t>(i->position() + i->length() - 1))) {
      entry.places.emplace_back();
      if (!place_of(parameter, entry.places.back())) return "error: " + entry.name + ": no place in '" + parameter + "'";
    }
    if (entry.places.size() != entry.shader->parameters.size()) return "error: " + entry.name + " differs from the compiled one";
    kernels.push_back(std::move(entry));
  }
  return {};
}

}  // namespace standin

@implementation MTLCompileOptions
@synthesize fastMathEnabled = _fastMathEnabled, languageVersion = _languageVersion, libraryType = _libraryType,
            preprocessorMacros = _preprocessorMacros, preserveInvariance = _preserveInvariance;
- (instancetype)init {
  if ((self = [super init])) {
    _fastMathEnabled = YES;
    _languageVersion = MTLLanguageVersion2_4;
  }
  return self;
}
- (id)copyWithZone:(NSZone*)zone {
  MTLCompileOptions* copy = [[[self class] allocWithZone:zone] init];
  copy->_fastMathEnabled = _fastMathEnabled;
  copy->_languageVersion = _languageVersion;
  copy->_libraryType = _libraryType;
  copy->_preprocessorMacros = [_preprocessorMacros copy];
  copy->_preserveInvariance = _preserveInvariance;
  return copy;
}
- (void)dealloc {
  [_preprocessorMacros release];
  [super dealloc];
}
@end

@implementation StandinCompiled
@synthesize device = _device, label = _label;
- (instancetype)initWithDevice:(id<MTLDevice>)device entries:(std::vector<Entry>)entries {
  if ((self = [super init])) {
    _device = [device retain];
    _entries = std::move(entries);
  }
  return self;
}
- (void)dealloc {
  [_device release];
  [_label release];
  [super dealloc];
}
@end

@implementation StandinLibrary
@dynamic device, label;
- (MTLLibraryType)type {
  return MTLLibraryTypeExecutable;
}
- (NSArray<NSString*>*)functionNames {
  NSMutableArray* names = [NSMutableArray array];
  for (const Entry& entry : _entries) [names addObject:[NSString stringWithUTF8String:entry.name.c_str()]];
  return names;
}
- (id<MTLFunction>)newFunctionWithName:(NSString*)name {
  for (const Entry& entry : _entries)
    if (entry.name == name.UTF8String) return [[StandinFunction alloc] initWithDevice:_device entries:{entry}];
  return nil;
}
@end

@implementation StandinFunction
@dynamic device, label;
- (MTLFunctionType)functionType {
  return MTLFunctionTypeKernel;
}
- (NSString*)name {
  return [NSString stringWithUTF8String:_entries[0].name.c_str()];
}
@end

@implementation StandinPipeline
@dynamic device, label;
- (NSUInteger)maxTotalThreadsPerThreadgroup {
  return 1024;
}
- (NSUInteger)staticThreadgroupMemoryLength {
  return 0;
}
- (NSUInteger)threadExecutionWidth {
  return 32;
}
@end
