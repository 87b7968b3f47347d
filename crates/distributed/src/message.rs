//! What a sweep's ranks say to each other: who takes which run, and how it went.

/// A message between rank 0, which hands out runs, and a rank that makes them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Message {
    /// To rank 0: nothing to do.
    Ready,
    /// To rank 0: the run of this index is on disk; nothing to do.
    Done(usize),
    /// To rank 0: a file could not be written, in these words. This rank makes no more runs.
    Failed(String),
    /// From rank 0: make the run of this index.
    Take(usize),
    /// From rank 0: there is nothing left to do.
    Stop,
}

impl Message {
    /// The bytes on the wire: what it is, then its content.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let (kind, content) = match self {
            Self::Ready => (0, Vec::new()),
            Self::Done(index) => (1, (*index as u64).to_le_bytes().to_vec()),
            Self::Failed(words) => (2, words.as_bytes().to_vec()),
            Self::Take(index) => (3, (*index as u64).to_le_bytes().to_vec()),
            Self::Stop => (4, Vec::new()),
        };
        let mut bytes = vec![kind];
        bytes.extend(content);
        bytes
    }

    /// The message of these bytes; `None` of bytes that are none.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (kind, content) = bytes.split_first()?;
        let index = || {
            let bytes = content.try_into().ok()?;
            usize::try_from(u64::from_le_bytes(bytes)).ok()
        };
        Some(match kind {
            0 if content.is_empty() => Self::Ready,
            1 => Self::Done(index()?),
            2 => Self::Failed(String::from_utf8_lossy(content).into_owned()),
            3 => Self::Take(index()?),
            4 if content.is_empty() => Self::Stop,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Message;

    #[test]
    fn messages_pass_the_wire_and_noise_does_not() {
        let all = [
            Message::Ready,
            Message::Done(0),
            Message::Failed("no space left".to_owned()),
            Message::Take(70_000),
            Message::Stop,
        ];
        for message in all {
            assert_eq!(Message::from_bytes(&message.to_bytes()), Some(message));
        }
        for noise in [&[][..], &[0, 1], &[1, 2, 3], &[3], &[9]] {
            assert_eq!(Message::from_bytes(noise), None, "{noise:?}");
        }
    }
}
