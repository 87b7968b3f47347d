//! Whole charts: both files say what the chart says, twice the same, whatever the data.

use std::path::Path;

use super::*;

fn chart() -> Chart {
    let x: Vec<f64> = (0..=100).map(|step| 0.05 * f64::from(step)).collect();
    let series = |style: usize, rate: f64| {
        let y: Vec<f64> = x.iter().map(|time| 2.0 * (-rate * time).exp()).collect();
        let spread = |factor: f64| y.iter().map(|value| factor * value).collect();
        let band = Some(Band { lower: spread(0.5), upper: spread(2.0) });
        Series { band, ..Series::new(format!("α = {rate} < ∞"), x.clone(), y, style) }
    };
    Chart {
        title: "Loss & \"bands\"".to_owned(),
        subtitle: "256 rows".to_owned(),
        x_label: "time t".to_owned(),
        y_label: "‖αf(wₜ) − y‖²".to_owned(),
        y_scale: Scale::Logarithmic,
        floor: Some(1e-32),
        series: vec![series(0, 0.5), series(1, 2.0), series(2, 4.0)],
        horizontal_lines: vec![Reference { label: "bound".to_owned(), value: 1e-4 }],
        vertical_lines: vec![Reference { label: "exit".to_owned(), value: 0.3 }],
        ..Chart::default()
    }
}

/// One curve on an otherwise bare chart.
fn curve(x: Vec<f64>, y: Vec<f64>, scale: Scale) -> Chart {
    let series = vec![Series { label: "curve".to_owned(), x, y, ..Series::default() }];
    Chart { y_scale: scale, x_scale: scale, series, ..Chart::default() }
}

/// Every tag closes, every attribute is quoted; returns the number of tags.
fn tags(file: &str) -> usize {
    let (mut open, mut count) = (Vec::new(), 0);
    for piece in file.split('<').skip(1) {
        let (tag, text) = piece.split_once('>').unwrap();
        assert!(!text.contains('>'), "stray sign in {text:?}");
        count += 1;
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name));
            continue;
        }
        assert!(tag.matches('"').count().is_multiple_of(2), "quotes in {tag:?}");
        let name = tag.split([' ', '/']).next().unwrap();
        if !tag.ends_with('/') {
            open.push(name);
        }
    }
    assert!(open.is_empty());
    count
}

#[test]
fn the_same_chart_gives_the_same_bytes() {
    assert_eq!(encode(&chart()).unwrap(), encode(&chart()).unwrap());
}

#[test]
fn the_vector_file_is_well_formed_and_names_everything() {
    let chart = chart();
    let (file, _) = encode(&chart).unwrap();
    assert!(tags(&file) > 50);
    let series = chart.series.iter().map(|series| &series.label);
    let lines = chart.horizontal_lines.iter().chain(&chart.vertical_lines).map(|line| &line.label);
    let texts = [&chart.title, &chart.subtitle, &chart.x_label, &chart.y_label];
    for text in texts.into_iter().chain(series).chain(lines) {
        assert!(file.contains(&format!("aria-label=\"{}\"", svg::escape(text))), "{text}");
    }
}

/// The decoded bitmap has its size, a white edge, and a falling line in the curve's own colour.
#[test]
fn the_bitmap_shows_the_curve() {
    let (x, y) =
        ((0..=40).map(f64::from).collect(), (0..=40).map(|k| 7.0 - f64::from(k)).collect());
    let mut chart = curve(x, y, Scale::Linear);
    chart.series[0].label.clear();
    let (_, bytes) = encode(&chart).unwrap();
    let sheet = tiny_skia::Pixmap::decode_png(&bytes).unwrap();
    assert_eq!((sheet.width(), sheet.height()), (WIDTH, HEIGHT));
    let [red, green, blue] = palette::look(0, 0).colour.rgb;
    let mut middles = Vec::new();
    for column in 0..WIDTH {
        let rows = (0..HEIGHT).filter(|&row| {
            let pixel = sheet.pixel(column, row).unwrap();
            [pixel.red(), pixel.green(), pixel.blue(), pixel.alpha()] == [red, green, blue, 255]
        });
        let rows: Vec<f64> = rows.map(f64::from).collect();
        if !rows.is_empty() {
            middles.push(rows.iter().sum::<f64>() / rows.len() as f64);
        }
        assert_eq!(sheet.pixel(column, 0).unwrap().red(), 255);
    }
    assert!(middles.len() > 1000);
    // Hollow signs shift the mean of a column by at most their radius.
    let slope = (middles[middles.len() - 1] - middles[0]) / middles.len() as f64;
    assert!(slope > 0.4);
    for (index, middle) in middles.iter().enumerate() {
        assert!((middle - middles[0] - slope * index as f64).abs() < 12.0, "column {index}");
    }
}

#[test]
fn values_below_the_floor_are_marked_and_others_are_not() {
    let marked = |y: Vec<f64>, floor| {
        let chart = Chart { floor, ..curve(vec![1.0, 2.0, 3.0], y, Scale::Logarithmic) };
        let (file, _) = encode(&chart).unwrap();
        let after = file.split("\"0 or below").nth(1)?;
        after.split('"').next().map(str::to_owned)
    };
    assert_eq!(marked(vec![1.0, 1e-3, 1e-40], Some(1e-32)).as_deref(), Some(" 10⁻³²"));
    assert_eq!(marked(vec![1.0, 0.0, -2.0], None).as_deref(), Some(""));
    assert_eq!(marked(vec![1.0, 1e-3, 1e-31], Some(1e-32)), None);
}

/// A value on the floor stays part of the curve: the line is not cut there.
#[test]
fn a_curve_runs_along_the_floor() {
    let pieces = |y: Vec<f64>| {
        let chart = curve((1..=30).map(f64::from).collect(), y, Scale::Logarithmic);
        let (file, _) = encode(&chart).unwrap();
        file.matches("stroke=\"#e07000\" stroke-width=\"3.5\"").count() - 1
    };
    let falling = |gap: f64| {
        (1..=30).map(move |k| {
            if k < 15 {
                1.0
            } else if k == 20 {
                gap
            } else {
                0.0
            }
        })
    };
    assert_eq!(pieces(falling(0.0).collect()), 1);
    assert_eq!(pieces(falling(f64::NAN).collect()), 2);
}

#[test]
fn degenerate_data_still_gives_a_figure() {
    let (nan, infinite) = (f64::NAN, f64::INFINITY);
    let columns = [
        (vec![], vec![]),
        (vec![1.0], vec![2.0]),
        (vec![1.0, 2.0], vec![nan, nan]),
        (vec![nan, nan], vec![1.0, 2.0]),
        (vec![-1.0, 0.0, 1.0], vec![infinite, -infinite, nan]),
        (vec![1.0, 2.0], vec![0.0, 0.0]),
        (vec![1.0, 2.0], vec![-1e308, 1e308]),
        (vec![5e-324, 1e308], vec![5e-324, 5e-324]),
        (vec![3.0; 5], vec![1e-310; 5]),
        (vec![2.0, 1.0, 2.0], vec![1.0, 1.0 + 1e-15, 1.0]),
    ];
    for (x, y) in columns {
        for scale in [Scale::Linear, Scale::Logarithmic] {
            let empty = x.iter().zip(&y).all(|(x, y)| !(x.is_finite() && y.is_finite()));
            let chart = curve(x.clone(), y.clone(), scale);
            let (file, bytes) = encode(&chart).unwrap();
            tags(&file);
            assert!(!file.contains("NaN") && !file.contains("inf\""), "{x:?} {y:?}");
            let sheet = tiny_skia::Pixmap::decode_png(&bytes).unwrap();
            assert_eq!((sheet.width(), sheet.height()), (WIDTH, HEIGHT));
            assert_eq!(file.contains("no finite values to draw"), empty, "{x:?} {y:?} {scale:?}");
        }
    }
}

/// A dot plot: the rows have names from the top down, points stand in their rows, and many rows make a higher sheet.
#[test]
fn rows_have_names_and_points_stand_in_them() {
    let names = |count: usize| (0..count).map(|row| format!("row {row}")).collect::<Vec<_>>();
    let dots = |count: usize| {
        let places = (0..count).flat_map(|row| [row as f64, f64::NAN]).collect();
        let x = (0..count).flat_map(|row| [10f64.powi(row as i32 % 7), f64::NAN]).collect();
        let series = Series { sign: Sign::Solid, ..Series::new("dots", x, places, 0) };
        let lines = vec![Reference { label: "left = right".to_owned(), value: 1.0 }];
        let x_scale = Scale::Logarithmic;
        let categories = names(count);
        Chart {
            categories,
            x_scale,
            series: vec![series],
            vertical_lines: lines,
            ..Chart::default()
        }
    };
    let (file, bytes) = encode(&dots(60)).unwrap();
    tags(&file);
    assert!(names(60).iter().all(|name| file.contains(&format!("aria-label=\"{name}\""))));
    let sheet = tiny_skia::Pixmap::decode_png(&bytes).unwrap();
    assert!(sheet.height() > 60 * 31 && file.contains(&format!("height=\"{}\"", sheet.height())));
    let letters = Lettering::embedded().unwrap();
    let drawing = layout::compose(&dots(3), &letters);
    assert_eq!(drawing.height, HEIGHT);
    let place = |name: &str| {
        let mark = drawing.marks.iter().find(|mark| mark.meaning == name).unwrap();
        let heights = mark.outline.iter().filter_map(|stroke| match stroke {
            drawing::Stroke::Move(at) => Some(at[1]),
            _ => None,
        });
        heights.fold(f64::MAX, f64::min)
    };
    assert!(place("row 0") < place("row 1") && place("row 1") < place("row 2"));
    // Points that no line joins have no line in the legend either: only solid signs in that colour.
    assert!(!file.contains("stroke=\"#e07000\"") && file.matches("fill=\"#e07000\"").count() == 61);
}

#[test]
fn charts_can_share_a_range() {
    let mut chart = curve(vec![1.0, 2.0], vec![2.0, 3.0], Scale::Logarithmic);
    let numbered = |chart: &Chart, number: &str| {
        encode(chart).unwrap().0.contains(&format!("aria-label=\"{number}\""))
    };
    assert!(!numbered(&chart, "10²"));
    chart.y_includes = vec![0.1, 1000.0];
    assert!(numbered(&chart, "10²"));
}

/// The description is read instead of the subtitle, and subscripts are read as plain text.
#[test]
fn the_vector_file_carries_the_description() {
    let mut chart = chart();
    assert!(encode(&chart).unwrap().0.contains("<desc>256 rows</desc>"));
    chart.description = "The curves fall.".to_owned();
    chart.title = "ν_{eff} over time".to_owned();
    let (file, _) = encode(&chart).unwrap();
    assert!(file.contains("<desc>The curves fall.</desc>") && file.contains("<title>ν_eff over"));
    assert!(file.contains("aria-label=\"256 rows\"") && !file.contains("_{"));
}

/// What has no place on the sheet is said in words.
#[test]
fn infinite_values_are_reported() {
    let mut chart = chart();
    chart.series[1].y[3] = f64::INFINITY;
    chart.horizontal_lines[0].value = f64::INFINITY;
    let (file, _) = encode(&chart).unwrap();
    assert!(file.contains("1 infinite values not drawn"));
    assert!(file.contains("bound: inf not drawn"));
}

#[test]
fn columns_of_unequal_length_are_refused() {
    let mut chart = chart();
    chart.series[2].band.as_mut().unwrap().upper.pop();
    let error = encode(&chart).unwrap_err();
    assert!(matches!(error, FigureError::Length { expected: 101, found: 100, .. }));
}

#[test]
fn both_files_replace_older_ones_and_nothing_else_stays() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("loss.svg"), "older").unwrap();
    let paths = render(&chart(), folder.path(), "loss").unwrap();
    let (file, bytes) = encode(&chart()).unwrap();
    assert_eq!(std::fs::read(&paths[0]).unwrap(), file.as_bytes());
    assert_eq!(std::fs::read(&paths[1]).unwrap(), bytes);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
}

#[test]
fn a_missing_folder_is_an_error_with_its_path() {
    let error = render(&chart(), Path::new("no/such/folder"), "loss").unwrap_err();
    assert!(matches!(error, FigureError::Write { path, .. } if path.ends_with("loss.svg")));
}
