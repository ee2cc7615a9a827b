//! Who signed a component. Two forms are known, told apart by the key:
//!
//! * minisign: its public key file, and the `.minisig` file;
//! * cosign: an ECDSA P-256 public key in PEM, and what `cosign sign-blob`
//!   writes: the signature of the SHA-256 in DER, in base64.
//!
//! Verified here, over the bytes that are installed, and nowhere else.

use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};
use sha2::{Digest, Sha256};
use shipway_core::plugin::Signer;

/// Neither a key nor a signature is longer, in bytes.
pub const LONGEST: usize = 8 * 1024;

/// What stands before the point in the DER of every P-256 public key:
/// `SEQUENCE { SEQUENCE { ecPublicKey, prime256v1 }, BIT STRING`.
const P256_PREFIX: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];
/// An uncompressed point: 4, x, y.
const POINT: usize = 65;
const PEM_BEGIN: &str = "-----BEGIN PUBLIC KEY-----";
const PEM_END: &str = "-----END PUBLIC KEY-----";

/// A public key that components are verified with.
#[derive(Clone)]
pub struct Key {
    signer: Signer,
    form: Form,
}

#[derive(Clone)]
enum Form {
    Minisign(minisign_verify::PublicKey),
    Cosign([u8; POINT]),
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Key({})", self.signer)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    #[error(
        "it is neither a minisign public key nor a PEM block `PUBLIC KEY` such as cosign writes"
    )]
    Unknown,
    #[error("the PEM block holds no ECDSA P-256 public key, which is what cosign signs with")]
    NotP256,
    #[error("it is a private key; keep that to yourself, and give the public one")]
    Private,
}

/// Why a signature does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    #[error("it is not the text of a {0} signature")]
    Unreadable(&'static str),
    #[error("it was made with another key than {0}")]
    OtherKey(Signer),
    #[error("it does not fit the component's bytes and {0}")]
    Wrong(Signer),
}

impl Key {
    /// Reads the text of a key file.
    pub fn read(text: &str) -> Result<Self, KeyError> {
        if text.contains("PRIVATE KEY-----") || text.contains("encrypted secret key") {
            return Err(KeyError::Private);
        }
        if text.contains(PEM_BEGIN) {
            return Self::cosign(text);
        }
        // The key alone, without its comment, is how it stands in a README.
        let line = text.lines().map(str::trim).rfind(|line| !line.is_empty());
        let line = line.ok_or(KeyError::Unknown)?;
        let key = minisign_verify::PublicKey::from_base64(line).map_err(|_| KeyError::Unknown)?;
        let bytes = STANDARD.decode(line).map_err(|_| KeyError::Unknown)?;
        Ok(Self {
            signer: Signer {
                scheme: "minisign".to_owned(),
                key: minisign_id(&bytes).ok_or(KeyError::Unknown)?,
            },
            form: Form::Minisign(key),
        })
    }

    fn cosign(text: &str) -> Result<Self, KeyError> {
        let body = text.split_once(PEM_BEGIN).map(|(_, rest)| rest);
        let body = body.and_then(|rest| rest.split_once(PEM_END));
        let (body, _) = body.ok_or(KeyError::Unknown)?;
        let body: String = body.split_whitespace().collect();
        let der = STANDARD.decode(body).map_err(|_| KeyError::Unknown)?;
        let point = der.strip_prefix(&P256_PREFIX);
        let point = point.and_then(|point| <[u8; POINT]>::try_from(point).ok());
        let point = point.filter(|point| point.first() == Some(&4));
        Ok(Self {
            signer: Signer {
                scheme: "cosign".to_owned(),
                key: hex(&Sha256::digest(&der)),
            },
            form: Form::Cosign(point.ok_or(KeyError::NotP256)?),
        })
    }

    pub fn signer(&self) -> &Signer {
        &self.signer
    }

    /// Whether this key signed these bytes.
    pub fn verify(&self, component: &[u8], signature: &str) -> Result<(), SignatureError> {
        let wrong = || SignatureError::Wrong(self.signer.clone());
        match &self.form {
            Form::Minisign(key) => {
                let signature = minisign_verify::Signature::decode(signature)
                    .map_err(|_| SignatureError::Unreadable("minisign"))?;
                // Legacy: the form that minisign itself wrote before 0.10.
                key.verify(component, &signature, true)
                    .map_err(|error| match error {
                        minisign_verify::Error::UnexpectedKeyId => {
                            SignatureError::OtherKey(self.signer.clone())
                        }
                        _ => wrong(),
                    })
            }
            Form::Cosign(point) => {
                let text: String = signature.split_whitespace().collect();
                let der = STANDARD
                    .decode(text)
                    .map_err(|_| SignatureError::Unreadable("cosign"))?;
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point)
                    .verify(component, &der)
                    .map_err(|_| wrong())
            }
        }
    }
}

/// The first of the keys that made this signature, or why none did.
pub fn signer(
    keys: &[Key],
    component: &[u8],
    signature: &str,
) -> Result<Signer, Vec<SignatureError>> {
    let mut failed = Vec::new();
    for key in keys {
        match key.verify(component, signature) {
            Ok(()) => return Ok(key.signer().clone()),
            Err(error) => failed.push(error),
        }
    }
    Err(failed)
}

/// As minisign shows it: the number in the key's bytes 2 to 10, in hex.
fn minisign_id(key: &[u8]) -> Option<String> {
    let id = key.get(2..10)?;
    let bytes: Vec<u8> = id.iter().rev().copied().collect();
    Some(hex(&bytes).to_uppercase())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMPONENT: &[u8] = b"\0asm component";
    // Made with minisign 0.11, in its form and in the legacy one.
    const MINISIGN_KEY: &str = concat!(
        "untrusted comment: minisign public key 82FA13FED10853DD\n",
        "RWTdUwjR/hP6grDShtdYUGx4tetZZLIs27qwHfygqSVNVk43tzzam4g+\n",
    );
    const MINISIGN: &str = concat!(
        "untrusted comment: signature from minisign secret key\n",
        "RUTdUwjR/hP6gtQNSUTOXIbATLmP/qLkb1hUQn+CS858BW1RgmseV7urdof9b8CzWNZUy4vf9Y7kPzgSTh2BxM7uBBBt8EN5tQA=\n",
        "trusted comment: component 1\n",
        "3VzIgVcB9VTCARsj+cEwXc8PwqId40JLFe85ZVSZ8xvszocqwbhNDVqGSjwkVz19xeAjVsjlmnLkRmDCUHAcCw==\n",
    );
    const MINISIGN_LEGACY: &str = concat!(
        "untrusted comment: signature from minisign secret key\n",
        "RWTdUwjR/hP6grOfrrFEbNTJN3kGK+l0ktaSPkZl9188Xizh0n++gRDRUzv8lT/TFP1NtW0cQOEG25EDRV1jtiFWrxshmSUatwY=\n",
        "trusted comment: legacy\n",
        "iMh4qySMne5k20Af+9I4JEzlYatk/bBd7R9NUKT/Ntwkj4Nm0NlLDsnZh+wlAnmaxCQ8yhmYR0nkeE5SoxxjAQ==\n",
    );
    // Made with openssl, which computes what `cosign sign-blob` does.
    const COSIGN_KEY: &str = concat!(
        "-----BEGIN PUBLIC KEY-----\n",
        "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEQhq2LCq2GG16L1C+4krlo7eS/4L3\n",
        "o6FzGaweYXbtHEdtPyif3e1Tu5BfSUDZ3T9L3mXLqBWe65qus8EtaVYkbA==\n",
        "-----END PUBLIC KEY-----\n",
    );
    const COSIGN: &str = "MEYCIQCJRj24WOaTnWZ/VP7tqT/GiXfpA11ngtX83SB3rTgD8wIhAO6ZQu3cqabqsUJfepUaQViGyOjXNKWy/svvNgh9iwPt";
    const P384_KEY: &str = concat!(
        "-----BEGIN PUBLIC KEY-----\n",
        "MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAE9ZMidFHqteBGLxulpCLWPcVy9UGSTY/o\n",
        "CO0Enozj+cj36lldDkTHX9GyL7GqszbSpgOZaIGS2Iv+YpxSt64v1lHA/drIZobQ\n",
        "95tzH2IXTfD87ozg0z5YJkAqozSPe4aJ\n",
        "-----END PUBLIC KEY-----\n",
    );

    fn minisign() -> Key {
        Key::read(MINISIGN_KEY).unwrap()
    }

    fn cosign() -> Key {
        Key::read(COSIGN_KEY).unwrap()
    }

    #[test]
    fn signatures_of_both_tools_hold() {
        for signature in [MINISIGN, MINISIGN_LEGACY] {
            minisign().verify(COMPONENT, signature).unwrap();
        }
        cosign().verify(COMPONENT, COSIGN).unwrap();
        let in_lines = COSIGN.replacen("A", "A\n", 1) + "\n";
        cosign().verify(COMPONENT, &in_lines).unwrap();
    }

    #[test]
    fn keys_have_the_ids_that_their_tools_show() {
        assert_eq!(
            minisign().signer().to_string(),
            "minisign key 82FA13FED10853DD"
        );
        assert_eq!(
            cosign().signer().key,
            "676fa6617f3d7230bfcf5f5cca0d110bc6b488710859e36176ede8ec2e57fc54"
        );
        let alone = MINISIGN_KEY.lines().nth(1).unwrap();
        assert_eq!(Key::read(alone).unwrap().signer(), minisign().signer());
    }

    #[test]
    fn one_other_byte_and_nothing_holds() {
        let mut other = COMPONENT.to_vec();
        other[9] ^= 1;
        for (key, signature) in [
            (minisign(), MINISIGN),
            (minisign(), MINISIGN_LEGACY),
            (cosign(), COSIGN),
        ] {
            let wrong = key.verify(&other, signature).unwrap_err();
            assert!(matches!(wrong, SignatureError::Wrong(_)), "{wrong}");
        }
        let torn = MINISIGN.replace("component 1", "component 2");
        let wrong = minisign().verify(COMPONENT, &torn).unwrap_err();
        assert!(matches!(wrong, SignatureError::Wrong(_)), "{wrong}");
    }

    #[test]
    fn another_key_and_another_form_are_told_apart() {
        // The same key with another id, and another key with the same form.
        let mut bytes = STANDARD
            .decode(MINISIGN_KEY.lines().nth(1).unwrap())
            .unwrap();
        bytes[2] ^= 1;
        let other = Key::read(&STANDARD.encode(&bytes)).unwrap();
        let error = other.verify(COMPONENT, MINISIGN).unwrap_err();
        assert!(matches!(error, SignatureError::OtherKey(_)), "{error}");
        for (key, signature) in [(minisign(), COSIGN), (cosign(), MINISIGN), (cosign(), "")] {
            let error = key.verify(COMPONENT, signature).unwrap_err();
            assert_ne!(error.to_string(), "");
        }
        let who = signer(&[other.clone(), cosign(), minisign()], COMPONENT, MINISIGN);
        assert_eq!(who.as_ref(), Ok(minisign().signer()));
        let nobody = signer(&[other, cosign()], COMPONENT, MINISIGN).unwrap_err();
        assert_eq!(nobody.len(), 2);
    }

    #[test]
    fn what_is_no_public_key_is_refused() {
        let secret = "untrusted comment: minisign encrypted secret key\nRWRTY0Iy\n";
        let private = "-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\n";
        assert_eq!(Key::read(secret).unwrap_err(), KeyError::Private);
        assert_eq!(Key::read(private).unwrap_err(), KeyError::Private);
        assert_eq!(Key::read(P384_KEY).unwrap_err(), KeyError::NotP256);
        let cut = COSIGN_KEY.replace("-----END", "");
        for nothing in ["", "hello", &cut, MINISIGN] {
            assert_eq!(
                Key::read(nothing).unwrap_err(),
                KeyError::Unknown,
                "{nothing}"
            );
        }
    }
}
