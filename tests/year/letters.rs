//! The bytes of the letters that the cast writes.

use chrono::{DateTime, Utc};

/// What our own server established of the sender.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stamp {
    Pass,
    Fail,
    Nothing,
}

#[derive(Debug, Clone)]
pub(crate) struct Written {
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) stamp: Stamp,
    pub(crate) subject: String,
    pub(crate) answers: Option<String>,
    pub(crate) headers: Vec<String>,
    pub(crate) text: String,
}

impl Written {
    pub(crate) fn new(from: &str, subject: &str, text: &str) -> Self {
        Self {
            from: from.to_owned(),
            to: "support@desk.example".to_owned(),
            stamp: Stamp::Pass,
            subject: subject.to_owned(),
            answers: None,
            headers: vec![],
            text: text.to_owned(),
        }
    }

    pub(crate) fn bytes(&self, serial: u64, at: DateTime<Utc>) -> Vec<u8> {
        let domain = self.from.rsplit('@').next().unwrap();
        let result = match self.stamp {
            Stamp::Pass => "pass",
            Stamp::Fail => "fail",
            Stamp::Nothing => "",
        };
        let mut raw = String::new();
        if !result.is_empty() {
            raw += &format!(
                "Authentication-Results: mx.desk.example;\r\n dmarc={result} header.from={domain}\r\n"
            );
        }
        raw += &format!(
            "Received: from mx by mx.desk.example; x\r\nFrom: <{}>\r\nTo: {}\r\nMessage-ID: <{serial}@mail.example>\r\nDate: {}\r\n",
            self.from,
            self.to,
            at.to_rfc2822()
        );
        if let Some(id) = &self.answers {
            raw += &format!("In-Reply-To: <{id}>\r\nReferences: <{id}>\r\n");
        }
        for header in &self.headers {
            raw += &format!("{header}\r\n");
        }
        raw += &format!(
            "Subject: {}\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n{}\r\n",
            self.subject,
            self.text.replace('\n', "\r\n")
        );
        raw.into_bytes()
    }
}

/// A letter of the desk comes back to it from the server of its reader.
pub(crate) fn bounce(reader: &str, lost_id: &str, serial: u64, at: DateTime<Utc>) -> Vec<u8> {
    let domain = reader.rsplit('@').next().unwrap();
    format!(
        "Return-Path: <>\r\nReceived: from mx by mx.desk.example; x\r\nFrom: MAILER-DAEMON@{domain}\r\nTo: support@desk.example\r\n\
         Message-ID: <{serial}@{domain}>\r\nDate: {}\r\nSubject: Undelivered Mail Returned to Sender\r\nAuto-Submitted: auto-replied\r\n\
         MIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=\"b\"\r\n\r\n--b\r\n\
         Content-Type: text/plain\r\n\r\nYour mail could not be delivered.\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n\
         Reporting-MTA: dns; mx.{domain}\r\n\r\nFinal-Recipient: rfc822; {reader}\r\nAction: failed\r\nStatus: 5.1.1\r\n\
         Diagnostic-Code: smtp; 550 5.1.1 User unknown\r\n\r\n--b\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: <{lost_id}>\r\n\r\n--b--\r\n",
        at.to_rfc2822()
    )
    .into_bytes()
}
