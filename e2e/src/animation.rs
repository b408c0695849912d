//! Records an animation of a page as a GIF.

use std::path::Path;

use gif::{DisposalMethod, Encoder, Frame, Repeat};
use image::RgbaImage;
use serde_json::json;

use crate::Page;

/// The quality of the palettes: from 1, the best, to 30, the fastest.
const PALETTE_SPEED: i32 = 10;

/// An animation in the making.
#[derive(Debug, Default)]
pub struct Animation {
    /// Each frame with its duration in hundredths of a second.
    frames: Vec<(RgbaImage, u16)>,
}

impl Animation {
    /// Adds what the page's window shows now, scaled by `scale`, for some hundredths of a second.
    ///
    /// # Panics
    /// If the browser cannot take a picture.
    pub async fn add(&mut self, page: &Page<'_>, scale: f64, hundredths: u16) {
        let size = page.eval("return [innerWidth, innerHeight]", &[]).await;
        let clip = json!({ "x": 0, "y": 0, "width": size[0], "height": size[1], "scale": scale });
        let png = page.picture(json!({ "format": "png", "clip": clip })).await;
        let picture = image::load_from_memory(&png).expect("the browser writes PNG").into_rgba8();
        self.frames.push((picture, hundredths));
    }

    /// The number of frames that differ from the one before.
    #[must_use]
    pub fn changes(&self) -> usize {
        self.frames.windows(2).filter(|pair| pair[0].0 != pair[1].0).count()
    }

    /// Writes the animation, which repeats for ever. Each frame holds only the pixels that changed.
    ///
    /// # Panics
    /// If there is no frame, they differ in size, or the file cannot be written.
    pub fn write(&self, file: &Path) {
        let (first, _) = self.frames.first().expect("there is a frame");
        let side = |pixels: u32| u16::try_from(pixels).expect("a window is smaller");
        let (width, height) = (side(first.width()), side(first.height()));
        let out = std::fs::File::create(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let mut encoder = Encoder::new(out, width, height, &[]).expect("the file can be written");
        encoder.set_repeat(Repeat::Infinite).expect("the file can be written");
        let mut before: Option<&RgbaImage> = None;
        for (picture, hundredths) in &self.frames {
            let mut pixels = picture.clone();
            if let Some(before) = before {
                for (pixel, old) in pixels.pixels_mut().zip(before.pixels()) {
                    if pixel == old {
                        pixel.0 = [0; 4];
                    }
                }
            }
            let mut frame = Frame::from_rgba_speed(width, height, pixels.as_mut(), PALETTE_SPEED);
            frame.delay = *hundredths;
            frame.dispose = DisposalMethod::Keep;
            encoder.write_frame(&frame).expect("the file can be written");
            before = Some(picture);
        }
    }
}
