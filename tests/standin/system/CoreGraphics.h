// What of CoreFoundation and CoreGraphics the colour spaces need. CoreFoundation's objects are no Objective-C objects here.
#pragma once

typedef const void* CFTypeRef;
typedef const struct StandinString* CFStringRef;
typedef struct CGColorSpace* CGColorSpaceRef;
typedef struct CGColorConversionInfo* CGColorConversionInfoRef;

extern "C" {
CFTypeRef _Nonnull CFRetain(CFTypeRef _Nonnull object);
void CFRelease(CFTypeRef _Nonnull object);

extern const CFStringRef _Nonnull kCGColorSpaceSRGB;
extern const CFStringRef _Nonnull kCGColorSpaceLinearSRGB;
extern const CFStringRef _Nonnull kCGColorSpaceDisplayP3;
extern const CFStringRef _Nonnull kCGColorSpaceLinearDisplayP3;
extern const CFStringRef _Nonnull kCGColorSpaceGenericGrayGamma2_2;
extern const CFStringRef _Nonnull kCGColorSpaceLinearGray;

CGColorSpaceRef _Nullable CGColorSpaceCreateWithName(CFStringRef _Nullable name);
CGColorSpaceRef _Nullable CGColorSpaceCreateDeviceRGB(void);
CGColorSpaceRef _Nullable CGColorSpaceCreateDeviceGray(void);
void CGColorSpaceRelease(CGColorSpaceRef _Nullable space);

// Null where a space is not calibrated, as those of devices are.
CGColorConversionInfoRef _Nullable CGColorConversionInfoCreate(CGColorSpaceRef _Nullable source, CGColorSpaceRef _Nullable destination);
}
